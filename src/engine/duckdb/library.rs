//! The engine's library, loaded when the engine is first asked: to load it takes as long as a whole `check`, which needs none.
//!
//! The functions of its C interface that the `duckdb` crate calls are here, each a call of the library's own. As nothing of
//! the library is missing then, the linker leaves it out of what the program needs in order to start. A function that is
//! missing here would be linked as ever, and make the library be loaded at the start.

use std::ffi::{CStr, c_char, c_void};
use std::sync::LazyLock;

use duckdb::ffi::{
    ArrowArray, ArrowSchema, duckdb_arrow_options, duckdb_config, duckdb_connection, duckdb_data_chunk,
    duckdb_database, duckdb_date, duckdb_decimal, duckdb_error_data, duckdb_error_type, duckdb_extracted_statements,
    duckdb_hugeint, duckdb_interval, duckdb_logical_type, duckdb_prepared_statement, duckdb_result, duckdb_state,
    duckdb_statement_type, duckdb_time, duckdb_timestamp, duckdb_type, duckdb_uhugeint, idx_t,
};

/// Looked for beside the program, where its run path points.
const NAME: &CStr = if cfg!(target_os = "macos") { c"@rpath/libduckdb.dylib" } else { c"libduckdb.so" };

static LIBRARY: LazyLock<Result<usize, String>> = LazyLock::new(|| {
    // SAFETY: the name ends in a NUL, and the library's initialisers ask nothing of who loads it.
    let library = unsafe { libc::dlopen(NAME.as_ptr(), libc::RTLD_LAZY | libc::RTLD_LOCAL) };
    if library.is_null() { Err(last_error()) } else { Ok(library as usize) }
});

/// Loads the library, or says why that fails; every later call finds it loaded.
pub(super) fn load() -> Result<(), String> {
    LIBRARY.as_ref().map(drop).map_err(Clone::clone)
}

fn last_error() -> String {
    // SAFETY: asked right after a failed call, on the thread that made it: null, or a text that ends in a NUL.
    let message = unsafe { libc::dlerror() };
    if message.is_null() {
        return "the engine's library cannot be loaded".to_owned();
    }
    // SAFETY: see above.
    unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned()
}

/// Where a function of the library is. There is no way back from a call to a function that is not there.
fn address(name: &CStr) -> *mut c_void {
    let library = LIBRARY.as_ref().unwrap_or_else(|why| panic!("{why}"));
    // SAFETY: the handle is of a library that is never closed, and the name ends in a NUL.
    let address = unsafe { libc::dlsym(*library as *mut c_void, name.as_ptr()) };
    assert!(!address.is_null(), "{}", last_error());
    address
}

macro_rules! library {
    ($($name:ident($($argument:ident: $kind:ty),*) $(-> $result:ty)?;)*) => {
        $(
            #[unsafe(no_mangle)]
            unsafe extern "C" fn $name($($argument: $kind),*) $(-> $result)? {
                type Function = unsafe extern "C" fn($($kind),*) $(-> $result)?;
                const NAME: &CStr = match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                    Ok(name) => name,
                    Err(_) => panic!("a name holds no NUL"),
                };
                // SAFETY: the function of this name has this type in the header that the `duckdb` crate was made from.
                static FUNCTION: LazyLock<Function> =
                    LazyLock::new(|| unsafe { std::mem::transmute::<*mut c_void, Function>(address(NAME)) });
                // SAFETY: the caller keeps what the function asks for.
                unsafe { FUNCTION($($argument),*) }
            }
        )*
    };
}

library! {
    duckdb_array_type_child_type(a: duckdb_logical_type) -> duckdb_logical_type;
    duckdb_bind_blob(a: duckdb_prepared_statement, b: idx_t, c: *const c_void, d: idx_t) -> duckdb_state;
    duckdb_bind_boolean(a: duckdb_prepared_statement, b: idx_t, c: bool) -> duckdb_state;
    duckdb_bind_date(a: duckdb_prepared_statement, b: idx_t, c: duckdb_date) -> duckdb_state;
    duckdb_bind_decimal(a: duckdb_prepared_statement, b: idx_t, c: duckdb_decimal) -> duckdb_state;
    duckdb_bind_double(a: duckdb_prepared_statement, b: idx_t, c: f64) -> duckdb_state;
    duckdb_bind_float(a: duckdb_prepared_statement, b: idx_t, c: f32) -> duckdb_state;
    duckdb_bind_hugeint(a: duckdb_prepared_statement, b: idx_t, c: duckdb_hugeint) -> duckdb_state;
    duckdb_bind_int16(a: duckdb_prepared_statement, b: idx_t, c: i16) -> duckdb_state;
    duckdb_bind_int32(a: duckdb_prepared_statement, b: idx_t, c: i32) -> duckdb_state;
    duckdb_bind_int64(a: duckdb_prepared_statement, b: idx_t, c: i64) -> duckdb_state;
    duckdb_bind_int8(a: duckdb_prepared_statement, b: idx_t, c: i8) -> duckdb_state;
    duckdb_bind_interval(a: duckdb_prepared_statement, b: idx_t, c: duckdb_interval) -> duckdb_state;
    duckdb_bind_null(a: duckdb_prepared_statement, b: idx_t) -> duckdb_state;
    duckdb_bind_time(a: duckdb_prepared_statement, b: idx_t, c: duckdb_time) -> duckdb_state;
    duckdb_bind_timestamp(a: duckdb_prepared_statement, b: idx_t, c: duckdb_timestamp) -> duckdb_state;
    duckdb_bind_uhugeint(a: duckdb_prepared_statement, b: idx_t, c: duckdb_uhugeint) -> duckdb_state;
    duckdb_bind_uint16(a: duckdb_prepared_statement, b: idx_t, c: u16) -> duckdb_state;
    duckdb_bind_uint32(a: duckdb_prepared_statement, b: idx_t, c: u32) -> duckdb_state;
    duckdb_bind_uint64(a: duckdb_prepared_statement, b: idx_t, c: u64) -> duckdb_state;
    duckdb_bind_uint8(a: duckdb_prepared_statement, b: idx_t, c: u8) -> duckdb_state;
    duckdb_bind_varchar_length(a: duckdb_prepared_statement, b: idx_t, c: *const c_char, d: idx_t) -> duckdb_state;
    duckdb_clear_bindings(a: duckdb_prepared_statement) -> duckdb_state;
    duckdb_close(a: *mut duckdb_database);
    duckdb_column_count(a: *mut duckdb_result) -> idx_t;
    duckdb_column_logical_type(a: *mut duckdb_result, b: idx_t) -> duckdb_logical_type;
    duckdb_column_name(a: *mut duckdb_result, b: idx_t) -> *const c_char;
    duckdb_connect(a: duckdb_database, b: *mut duckdb_connection) -> duckdb_state;
    duckdb_create_config(a: *mut duckdb_config) -> duckdb_state;
    duckdb_data_chunk_get_size(a: duckdb_data_chunk) -> idx_t;
    duckdb_data_chunk_to_arrow(a: duckdb_arrow_options, b: duckdb_data_chunk, c: *mut ArrowArray) -> duckdb_error_data;
    duckdb_destroy_arrow_options(a: *mut duckdb_arrow_options);
    duckdb_destroy_config(a: *mut duckdb_config);
    duckdb_destroy_data_chunk(a: *mut duckdb_data_chunk);
    duckdb_destroy_error_data(a: *mut duckdb_error_data);
    duckdb_destroy_extracted(a: *mut duckdb_extracted_statements);
    duckdb_destroy_logical_type(a: *mut duckdb_logical_type);
    duckdb_destroy_prepare(a: *mut duckdb_prepared_statement);
    duckdb_destroy_result(a: *mut duckdb_result);
    duckdb_disconnect(a: *mut duckdb_connection);
    duckdb_error_data_error_type(a: duckdb_error_data) -> duckdb_error_type;
    duckdb_error_data_has_error(a: duckdb_error_data) -> bool;
    duckdb_error_data_message(a: duckdb_error_data) -> *const c_char;
    duckdb_execute_prepared(a: duckdb_prepared_statement, b: *mut duckdb_result) -> duckdb_state;
    duckdb_extract_statements(a: duckdb_connection, b: *const c_char, c: *mut duckdb_extracted_statements) -> idx_t;
    duckdb_extract_statements_error(a: duckdb_extracted_statements) -> *const c_char;
    duckdb_fetch_chunk(a: duckdb_result) -> duckdb_data_chunk;
    duckdb_free(a: *mut c_void);
    duckdb_get_type_id(a: duckdb_logical_type) -> duckdb_type;
    duckdb_interrupt(a: duckdb_connection);
    duckdb_list_type_child_type(a: duckdb_logical_type) -> duckdb_logical_type;
    duckdb_map_type_key_type(a: duckdb_logical_type) -> duckdb_logical_type;
    duckdb_map_type_value_type(a: duckdb_logical_type) -> duckdb_logical_type;
    duckdb_nparams(a: duckdb_prepared_statement) -> idx_t;
    duckdb_open_ext(a: *const c_char, b: *mut duckdb_database, c: duckdb_config, d: *mut *mut c_char) -> duckdb_state;
    duckdb_prepare_error(a: duckdb_prepared_statement) -> *const c_char;
    duckdb_prepare_extracted_statement(
        a: duckdb_connection, b: duckdb_extracted_statements, c: idx_t, d: *mut duckdb_prepared_statement
    ) -> duckdb_state;
    duckdb_prepared_statement_column_count(a: duckdb_prepared_statement) -> idx_t;
    duckdb_prepared_statement_column_logical_type(a: duckdb_prepared_statement, b: idx_t) -> duckdb_logical_type;
    duckdb_prepared_statement_type(a: duckdb_prepared_statement) -> duckdb_statement_type;
    duckdb_query(a: duckdb_connection, b: *const c_char, c: *mut duckdb_result) -> duckdb_state;
    duckdb_result_error(a: *mut duckdb_result) -> *const c_char;
    duckdb_result_get_arrow_options(a: *mut duckdb_result) -> duckdb_arrow_options;
    duckdb_rows_changed(a: *mut duckdb_result) -> idx_t;
    duckdb_set_config(a: duckdb_config, b: *const c_char, c: *const c_char) -> duckdb_state;
    duckdb_struct_type_child_count(a: duckdb_logical_type) -> idx_t;
    duckdb_struct_type_child_type(a: duckdb_logical_type, b: idx_t) -> duckdb_logical_type;
    duckdb_to_arrow_schema(
        a: duckdb_arrow_options, b: *mut duckdb_logical_type, c: *mut *const c_char, d: idx_t, e: *mut ArrowSchema
    ) -> duckdb_error_data;
    duckdb_union_type_member_count(a: duckdb_logical_type) -> idx_t;
    duckdb_union_type_member_type(a: duckdb_logical_type, b: idx_t) -> duckdb_logical_type;
}

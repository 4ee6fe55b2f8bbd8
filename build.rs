//! Brings the embedded engine's library and puts it beside the binary.
//!
//! `npm ci` does the pinning (exact version) and the hashing (`integrity` in .engine/package-lock.json).

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=.engine/package-lock.json");
    println!("cargo:rerun-if-changed=.engine/lib");
    let wants = |feature: &str| env::var_os(format!("CARGO_FEATURE_{feature}")).is_some();
    if !wants("EMBEDDED") || wants("BUNDLED") {
        return;
    }
    let engine = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join(".engine");
    let os = env::var("CARGO_CFG_TARGET_OS").expect("cargo sets it");
    let arch = env::var("CARGO_CFG_TARGET_ARCH").expect("cargo sets it");
    let (platform, library, origin) = match os.as_str() {
        "linux" => ("linux", "libduckdb.so", "$ORIGIN"),
        "macos" => ("darwin", "libduckdb.dylib", "@loader_path"),
        other => stop(&format!("no prebuilt engine for {other}; build with --features bundled")),
    };
    let cpu = match arch.as_str() {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => stop(&format!("no prebuilt engine for {other}; build with --features bundled")),
    };
    let fetched = engine.join(format!("node_modules/@duckdb/node-bindings-{platform}-{cpu}")).join(library);
    let linked = engine.join("lib").join(library);
    let lock = fs::read(engine.join("package-lock.json")).expect("the lockfile is part of the repository");
    let stamp = engine.join("lib/package-lock.json");
    if !linked.exists() || fs::read(&stamp).ok().as_deref() != Some(&lock) {
        fetch(&engine, platform, cpu);
        if !fetched.exists() {
            stop(&format!("npm ci brought no {}; build with --features bundled", fetched.display()));
        }
        copy(&fetched, &linked);
        fs::write(&stamp, &lock).unwrap_or_else(|error| stop(&format!("write {}: {error}", stamp.display())));
    }
    let profile = profile_dir();
    copy(&linked, &profile.join(library));
    // Binaries stand beside the library; tests and benches one folder down, in deps/.
    println!("cargo:rustc-link-search=native={}", engine.join("lib").display());
    println!("cargo:rustc-link-arg=-Wl,-rpath,{origin}");
    println!("cargo:rustc-link-arg=-Wl,-rpath,{origin}/..");
    // It is loaded when the engine is asked (src/engine/duckdb/library.rs). Elsewhere linkers leave out by themselves what gives no symbol.
    if os == "macos" {
        println!("cargo:rustc-link-arg=-Wl,-dead_strip_dylibs");
    }
}

fn fetch(engine: &Path, platform: &str, cpu: &str) {
    let done = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .arg(format!("--os={platform}"))
        .arg(format!("--cpu={cpu}"))
        .current_dir(engine)
        .output();
    match done {
        Ok(output) if output.status.success() => {}
        Ok(output) => stop(&format!("npm ci in .engine failed: {}", String::from_utf8_lossy(&output.stderr))),
        Err(error) => stop(&format!(
            "npm is needed to fetch the engine's library ({error}); install Node.js, or build with --features bundled"
        )),
    }
}

/// `<target>/<profile>`: three up from `<target>/<profile>/build/<package>/out`.
fn profile_dir() -> PathBuf {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    out.ancestors().nth(3).expect("OUT_DIR has that depth").to_path_buf()
}

/// By rename, so that a running binary keeps the library it has.
fn copy(from: &Path, to: &Path) {
    let temporary = to.with_extension("new");
    let done = fs::create_dir_all(to.parent().expect("a file has a folder"))
        .and_then(|()| fs::copy(from, &temporary))
        .and_then(|_| fs::rename(&temporary, to));
    if let Err(error) = done {
        stop(&format!("copy {} to {}: {error}", from.display(), to.display()));
    }
}

fn stop(why: &str) -> ! {
    eprintln!("crawlguard build: {why}");
    std::process::exit(1)
}

-- Athena's scalar functions for DuckDB, where the two differ or where the name does. translate/ calls them; nothing
-- else may. A failure is a cast that cannot succeed, because error() is volatile and TRY() refuses volatile functions.
-- Macros expand where they are used: the big ones bind their argument once, through a list of one.

CREATE MACRO athena_fail(message, like_this)
  AS cast_to_type(CAST(CAST('athena: ' || message AS INTEGER) AS VARCHAR), like_this);
CREATE MACRO athena_is_integer(x) AS typeof(x) IN ('TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT');
CREATE MACRO athena_is_float(x) AS typeof(x) IN ('DOUBLE', 'FLOAT');
CREATE MACRO athena_is_array(x) AS suffix(typeof(x), ']');
CREATE MACRO athena_is_decimal(x) AS starts_with(typeof(x), 'DECIMAL');

-- Text. athena_whitespace() is made in session.rs.
CREATE MACRO athena_trim(x) AS trim(x, athena_whitespace()), (x, characters) AS trim(x, characters);
CREATE MACRO athena_ltrim(x) AS ltrim(x, athena_whitespace()), (x, characters) AS ltrim(x, characters);
CREATE MACRO athena_rtrim(x) AS rtrim(x, athena_whitespace()), (x, characters) AS rtrim(x, characters);
-- With the arguments in the order of `trim(BOTH characters FROM x)` and `position(part IN x)`.
CREATE MACRO athena_trim_of(characters, x) AS trim(x, characters);
CREATE MACRO athena_ltrim_of(characters, x) AS ltrim(x, characters);
CREATE MACRO athena_rtrim_of(characters, x) AS rtrim(x, characters);
CREATE MACRO athena_position(part, x) AS strpos(x, part);
CREATE MACRO athena_lower(x) AS lower(x);
-- Java has no capital sharp s; chr(57344) is nobody's character.
CREATE MACRO athena_upper(x) AS replace(upper(replace(x, 'ß', chr(57344))), chr(57344), 'ß');
CREATE MACRO athena_joinable(x) AS CASE WHEN regexp_matches(typeof(x), '^(VARCHAR|BLOB|"NULL")$|\]$') THEN x
  ELSE athena_fail('`||` joins text with text only: CAST the other side AS varchar', x) END;
CREATE MACRO athena_listed(x) AS CASE WHEN typeof(x) IN ('VARCHAR', '"NULL"') THEN x
  ELSE athena_fail('listagg lists text only: CAST it AS varchar', x) END;
CREATE MACRO athena_length(x) AS length(CAST(x AS VARCHAR));
CREATE MACRO athena_reverse(x) AS
  CASE WHEN athena_is_array(x) THEN athena_fail('reverse of an array is not supported', '') ELSE reverse(x) END;
CREATE MACRO athena_lpad(x, n, fill) AS lpad(x, CAST(n AS INTEGER), fill);
CREATE MACRO athena_rpad(x, n, fill) AS rpad(x, CAST(n AS INTEGER), fill);
CREATE MACRO athena_replace(x, old)
  AS CASE WHEN old = '' THEN athena_fail('replace: nothing to search for', '') ELSE replace(x, old, '') END,
  (x, old, new)
  AS CASE WHEN old = '' THEN athena_fail('replace: nothing to search for', '') ELSE replace(x, old, new) END;
CREATE MACRO athena_strpos(x, part) AS strpos(x, part);
CREATE MACRO athena_substr(x, start)
  AS list_transform([x], lambda v: CASE
    WHEN start > 0 THEN substring(v, start)
    WHEN start < 0 AND -start <= length(v) THEN substring(v, length(v) + start + 1)
    WHEN v IS NOT NULL AND start IS NOT NULL THEN '' END)[1],
  (x, start, n)
  AS list_transform([x], lambda v: CASE
    WHEN n IS NULL THEN NULL
    WHEN n > 0 AND start > 0 THEN substring(v, start, n)
    WHEN n > 0 AND start < 0 AND -start <= length(v) THEN substring(v, length(v) + start + 1, n)
    WHEN v IS NOT NULL AND start IS NOT NULL THEN '' END)[1];
CREATE MACRO athena_starts_with(x, part) AS starts_with(x, part);
CREATE MACRO athena_split(x, part)
  AS CASE WHEN part = '' THEN athena_fail('split: the delimiter is empty', ['']) ELSE string_split(x, part) END,
  (x, part, n)
  AS CASE WHEN part = '' THEN athena_fail('split: the delimiter is empty', ['']) WHEN n < 1
    THEN athena_fail('split: the limit must be positive', ['']) ELSE list_transform([string_split(x, part)],
      lambda p: CASE WHEN len(p) <= n THEN p
        ELSE list_append(p[1:n - 1], array_to_string(p[n:len(p)], part)) END)[1] END;
CREATE MACRO athena_split_part(x, part, n) AS CASE
  WHEN part = '' THEN athena_fail('split_part: the delimiter is empty', '')
  WHEN n < 1 THEN athena_fail('split_part: the index must be greater than zero', '')
  ELSE string_split(x, part)[n] END;
CREATE MACRO athena_chr(n) AS chr(CAST(n AS INTEGER));
CREATE MACRO athena_translate(x, old, new) AS translate(x, old, new);
CREATE MACRO athena_normalize(x) AS nfc_normalize(x);
CREATE MACRO athena_to_utf8(x) AS encode(x);
CREATE MACRO athena_from_utf8(x) AS decode(x);
CREATE MACRO athena_to_hex(x) AS hex(CAST(x AS BLOB));
CREATE MACRO athena_md5(x) AS unhex(md5(CAST(x AS BLOB)));
CREATE MACRO athena_sha1(x) AS unhex(sha1(CAST(x AS BLOB)));
CREATE MACRO athena_sha256(x) AS unhex(sha256(CAST(x AS BLOB)));
CREATE MACRO athena_concat_ws(part, a, b) AS concat_ws(part, a, b), (part, a, b, c) AS concat_ws(part, a, b, c),
  (part, a, b, c, d) AS concat_ws(part, a, b, c, d);

-- Choices.
CREATE MACRO athena_if(c, a) AS CASE WHEN c THEN a END, (c, a, b) AS CASE WHEN c THEN a ELSE b END;
CREATE MACRO athena_nullif(a, b) AS nullif(a, b);
CREATE MACRO athena_greatest(a, b) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN greatest(a, b) END;
CREATE MACRO athena_least(a, b) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN least(a, b) END;

-- Regular expressions, after regex.rs has vetted and rewritten the pattern.
CREATE MACRO athena_regexp_like(x, p) AS regexp_matches(x, p);
CREATE MACRO athena_regexp_extract(x, p, g) AS CASE WHEN regexp_matches(x, p) THEN regexp_extract(x, p, g) END;
CREATE MACRO athena_regexp_extract_all(x, p, g) AS regexp_extract_all(x, p, g);
CREATE MACRO athena_regexp_replace(x, p, r) AS regexp_replace(x, p, r, 'g');
CREATE MACRO athena_regexp_count(x, p) AS len(regexp_extract_all(x, p));
CREATE MACRO athena_regexp_split(x, p) AS string_split_regex(x, p);
-- Athena's $ also matches before a last line break, where RE2's \z does not.
CREATE MACRO athena_unbroken(x) AS
  CASE WHEN suffix(x, chr(10)) THEN athena_fail('the text ends in a line break before which $ would match', '')
  ELSE x END;

-- Numbers.
-- What only types decide: the type of this name is known to nobody, so the engine's complaint tells which node it is.
CREATE MACRO athena_unless(is_so, node) AS CASE WHEN is_so THEN '"ATHENA_CHOICE_' || node || '_"' ELSE '"INTEGER"' END;
CREATE MACRO athena_unless_one(ta, tb, node) AS
  CASE WHEN ta <> tb THEN '"ATHENA_CHOICE_' || node || '_' || hex(ta || '/' || tb) || '"' ELSE '"INTEGER"' END;
-- Of a list, as DuckDB knows the type of a NULL only when it runs.
CREATE MACRO athena_type(x) AS left(typeof([x]), length(typeof([x])) - 2);
CREATE MACRO athena_divides_decimals(ta, tb) AS
  regexp_matches(ta || ' ' || tb, '(^| )DECIMAL') AND NOT regexp_matches(ta || ' ' || tb, 'DOUBLE|FLOAT|NULL');
CREATE MACRO athena_pair(a, b) AS [{'a': a, 'b': b}];
-- Of a list, as DuckDB knows the type of a NULL in a pair only when it runs.
CREATE MACRO athena_left_type(p) AS replace(typeof([p.a]), '[]', '');
CREATE MACRO athena_right_type(p) AS replace(typeof([p.b]), '[]', '');
CREATE MACRO athena_divide(p, settled) AS CASE
  WHEN athena_is_float(p.a) OR athena_is_float(p.b) THEN cast_to_type(p.a / p.b, p.a // p.b)
  WHEN p.b = 0 AND p.a IS NOT NULL AND settled IS NULL THEN athena_fail('division by zero', p.a // p.b)
  ELSE p.a // p.b END;
CREATE MACRO athena_divided(one) AS one[1];
-- A quotient of decimals, rounded half up, away from zero. n and d are the digits of both, without their points; the
-- remainder is divided apart, which leaves room for large numbers.
-- https://github.com/trinodb/trino/blob/476/core/trino-main/src/main/java/io/trino/type/DecimalOperators.java
CREATE MACRO athena_digits(t) AS CASE t WHEN 'TINYINT' THEN '(3,0)' WHEN 'SMALLINT' THEN '(5,0)'
  WHEN 'INTEGER' THEN '(10,0)' WHEN 'BIGINT' THEN '(19,0)' WHEN 'HUGEINT' THEN '(19,0)'
  ELSE CASE WHEN starts_with(t, 'DECIMAL') THEN t ELSE '(1,0)' END END;
CREATE MACRO athena_precision(t) AS CAST(regexp_extract(athena_digits(t), '.([0-9]+),', 1) AS INTEGER);
CREATE MACRO athena_scale(t) AS CAST(regexp_extract(athena_digits(t), ',([0-9]+)', 1) AS INTEGER);
-- Where the same node has other types elsewhere, the type of this name tells so: see words.rs.
CREATE MACRO athena_quotient_type(ta, tb) AS CASE WHEN athena_divides_decimals(ta, tb) THEN '"DECIMAL('
  || least(38, athena_precision(ta) + athena_scale(tb) + greatest(athena_scale(tb) - athena_scale(ta), 0)) || ','
  || greatest(athena_scale(ta), athena_scale(tb)) || ')"' ELSE '"ATHENA_TWO_TYPES"' END;
CREATE MACRO athena_last_digit(ta, tb) AS '"1e-' || greatest(athena_scale(ta), athena_scale(tb)) || '"';
CREATE MACRO athena_last_digit_type(ta, tb) AS '"DECIMAL(38,' || greatest(athena_scale(ta), athena_scale(tb)) || ')"';
CREATE MACRO athena_unscaled(x) AS CAST(replace(CAST(x AS VARCHAR), '.', '') AS HUGEINT);
CREATE MACRO athena_not_zero(x, divided) AS
  CASE WHEN x = 0 AND divided IS NOT NULL THEN athena_fail('division by zero', x) ELSE x END;
CREATE MACRO athena_division(p, last_digit, like_this) AS {'n': athena_unscaled(p.a), 'd': athena_unscaled(athena_not_zero(p.b, p.a)),
  'ten': CAST('1' || repeat('0', greatest(athena_scale(typeof(p.b)), 2 * athena_scale(typeof(p.b)) - athena_scale(typeof(p.a))))
    AS HUGEINT), 'last_digit': last_digit, 'like_this': like_this};
CREATE MACRO athena_long_division(v) AS {'sign': sign(v.n) * sign(v.d), 'whole': abs(v.n) // abs(v.d),
  'rest': abs(v.n) % abs(v.d) * v.ten, 'd': abs(v.d), 'ten': v.ten, 'last_digit': v.last_digit, 'like_this': v.like_this};
CREATE MACRO athena_half_up(v) AS v.sign * (v.whole * v.ten + v.rest // v.d
  + CASE WHEN v.rest % v.d >= v.d - v.rest % v.d THEN 1 ELSE 0 END);
CREATE MACRO athena_quotient(divisions) AS list_transform(
  list_transform(divisions, lambda v: athena_long_division(v)),
  lambda v: cast_to_type(CAST(athena_half_up(v) AS DECIMAL(38, 0)) * v.last_digit, v.like_this))[1];
-- DuckDB sums integers as HUGEINT.
CREATE MACRO athena_total_type(t) AS '"' || CASE t WHEN 'HUGEINT' THEN 'BIGINT' ELSE t END || '"';
CREATE MACRO athena_modulus(a, b) AS list_transform([{'a': a, 'b': b}], lambda p: CASE
  WHEN p.b = 0 AND NOT athena_is_float(p.a) AND NOT athena_is_float(p.b) THEN athena_fail('division by zero', p.a % p.b)
  ELSE p.a % p.b END)[1];
-- The left side once, as a chain of differences would grow with each use of it.
CREATE MACRO athena_minus(a, b) AS a - CASE
  WHEN typeof(b) = 'DATE' THEN athena_fail('a date cannot be subtracted; use date_diff', b) ELSE b END;
CREATE MACRO athena_abs(x) AS abs(x);
CREATE MACRO athena_round(x) AS round(x), (x, n) AS cast_to_type(round(x, CAST(n AS INTEGER)), x);
CREATE MACRO athena_floor(x) AS
  CASE WHEN athena_is_integer(x) THEN athena_fail('floor of an integer is not supported', floor(x)) ELSE floor(x) END;
CREATE MACRO athena_ceil(x) AS
  CASE WHEN athena_is_integer(x) THEN athena_fail('ceil of an integer is not supported', ceil(x)) ELSE ceil(x) END;
CREATE MACRO athena_truncate(x) AS trunc(CAST(x AS DOUBLE));
CREATE MACRO athena_power(x, n) AS pow(CAST(x AS DOUBLE), CAST(n AS DOUBLE));
CREATE MACRO athena_sqrt(x) AS sqrt(CAST(x AS DOUBLE));
CREATE MACRO athena_exp(x) AS exp(CAST(x AS DOUBLE));
CREATE MACRO athena_ln(x) AS ln(CAST(x AS DOUBLE));
CREATE MACRO athena_log10(x) AS log10(CAST(x AS DOUBLE));
CREATE MACRO athena_log2(x) AS log2(CAST(x AS DOUBLE));
CREATE MACRO athena_sign(x) AS cast_to_type(sign(x), x);
CREATE MACRO athena_nan() AS CAST('NaN' AS DOUBLE);
CREATE MACRO athena_infinity() AS CAST('Infinity' AS DOUBLE);
CREATE MACRO athena_pi() AS pi();
CREATE MACRO athena_is_nan(x) AS isnan(x);
CREATE MACRO athena_is_finite(x) AS isfinite(x);
CREATE MACRO athena_is_infinite(x) AS isinf(x);
CREATE MACRO athena_bitwise_and(a, b) AS a & b;
CREATE MACRO athena_bitwise_or(a, b) AS a | b;
-- An average of decimals is a decimal in Athena and a double in DuckDB.
CREATE MACRO athena_not_decimal(x) AS CASE
  WHEN athena_is_decimal(x) THEN athena_fail('an average of decimals is not supported; average doubles', x) ELSE x END;

-- Casts from text are as strict as Athena's; from numbers they round half away from zero.
CREATE MACRO athena_stripped(v) AS trim(CAST(v AS VARCHAR), athena_whitespace());
CREATE MACRO athena_bad_cast(v, to_type, like_this) AS
  CASE WHEN v IS NOT NULL THEN athena_fail('cannot cast ''' || CAST(v AS VARCHAR) || ''' to ' || to_type, like_this) END;
-- 1.5e-05 -> 1.5E-5, 10000000.0 -> 1.0E7
CREATE MACRO athena_scientific(t) AS list_transform([{
    'sign': CASE WHEN starts_with(t, '-') THEN '-' ELSE '' END,
    'whole': split_part(regexp_extract(t, '^-?([0-9.]+)', 1), '.', 1),
    'digits': replace(regexp_extract(t, '^-?([0-9.]+)', 1), '.', ''),
    'exponent': coalesce(TRY_CAST(regexp_extract(t, 'e([+-]?[0-9]+)$', 1) AS INTEGER), 0)}],
  lambda n: CASE WHEN ltrim(n.digits, '0') = '' THEN n.sign || '0E0' ELSE
    n.sign || ltrim(n.digits, '0')[1] || '.'
    || coalesce(nullif(rtrim(substring(ltrim(n.digits, '0'), 2), '0'), ''), '0') || 'E'
    || (length(n.whole) - 1 - (length(n.digits) - length(ltrim(n.digits, '0'))) + n.exponent) END)[1];
-- What is known to be JSON, as text that is cast on; elsewhere such a value is refused.
CREATE MACRO athena_no_json(like_this) AS
  athena_fail('a JSON value is cast where it is taken out: CAST(json_extract(x, ''$.a'') AS …)', like_this);
CREATE MACRO athena_json_text(x) AS list_transform([CAST(x AS VARCHAR)], lambda t: CASE json_type(t) WHEN 'NULL' THEN NULL
  WHEN 'VARCHAR' THEN json_extract_string(t, '$') WHEN 'DOUBLE' THEN athena_scientific(CAST(CAST(t AS DOUBLE) AS VARCHAR))
  WHEN 'OBJECT' THEN athena_fail('cannot cast a JSON object to this type', '')
  WHEN 'ARRAY' THEN athena_fail('cannot cast a JSON array to this type', '') ELSE t END)[1];
CREATE MACRO athena_json_digits(x, whole) AS list_transform([CAST(x AS VARCHAR)], lambda t: CASE json_type(t)
  WHEN 'BOOLEAN' THEN CASE t WHEN 'true' THEN '1' ELSE '0' END
  WHEN 'DOUBLE' THEN CASE WHEN whole THEN CAST(CAST(round(CAST(t AS DOUBLE)) AS HUGEINT) AS VARCHAR) ELSE t END
  ELSE athena_json_text(t) END)[1];
CREATE MACRO athena_json_truth(x) AS list_transform([CAST(x AS VARCHAR)], lambda t: CASE
  WHEN json_type(t) IN ('BOOLEAN', 'VARCHAR', 'NULL') THEN athena_json_text(t)
  WHEN t IS NOT NULL THEN athena_fail('a cast of this JSON value to boolean is not supported', '') END)[1];
CREATE MACRO athena_integer_text(v) AS CASE
  WHEN regexp_full_match(athena_stripped(v), '[+-]?[0-9]+') THEN athena_stripped(v)
  ELSE athena_bad_cast(v, 'an integer', '') END;
CREATE MACRO athena_to_tinyint(x) AS list_transform([x], lambda v: CASE
  WHEN typeof(v) = 'VARCHAR' THEN CAST(athena_integer_text(v) AS TINYINT)
  WHEN typeof(v) = 'JSON' THEN athena_no_json(CAST(1 AS TINYINT))
  WHEN athena_is_float(v) THEN CAST(round(CAST(v AS DOUBLE)) AS TINYINT) ELSE CAST(v AS TINYINT) END)[1];
CREATE MACRO athena_to_smallint(x) AS list_transform([x], lambda v: CASE
  WHEN typeof(v) = 'VARCHAR' THEN CAST(athena_integer_text(v) AS SMALLINT)
  WHEN typeof(v) = 'JSON' THEN athena_no_json(CAST(1 AS SMALLINT))
  WHEN athena_is_float(v) THEN CAST(round(CAST(v AS DOUBLE)) AS SMALLINT) ELSE CAST(v AS SMALLINT) END)[1];
CREATE MACRO athena_to_integer(x) AS list_transform([x], lambda v: CASE
  WHEN typeof(v) = 'VARCHAR' THEN CAST(athena_integer_text(v) AS INTEGER)
  WHEN typeof(v) = 'JSON' THEN athena_no_json(CAST(1 AS INTEGER))
  WHEN athena_is_float(v) THEN CAST(round(CAST(v AS DOUBLE)) AS INTEGER) ELSE CAST(v AS INTEGER) END)[1];
CREATE MACRO athena_to_bigint(x) AS list_transform([x], lambda v: CASE
  WHEN typeof(v) = 'VARCHAR' THEN CAST(athena_integer_text(v) AS BIGINT)
  WHEN typeof(v) = 'JSON' THEN athena_no_json(CAST(1 AS BIGINT))
  WHEN athena_is_float(v) THEN CAST(round(CAST(v AS DOUBLE)) AS BIGINT) ELSE CAST(v AS BIGINT) END)[1];
CREATE MACRO athena_number_text(v) AS CASE
  WHEN regexp_full_match(athena_stripped(v), '[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?')
    THEN athena_stripped(v)
  ELSE athena_bad_cast(v, 'a number', '') END;
CREATE MACRO athena_float_text(v) AS CASE
  WHEN athena_stripped(v) IN ('NaN', 'Infinity', '+Infinity', '-Infinity') THEN ltrim(athena_stripped(v), '+')
  ELSE athena_number_text(v) END;
CREATE MACRO athena_to_double(x) AS list_transform([x], lambda v:
  CASE WHEN typeof(v) = 'VARCHAR' THEN CAST(athena_float_text(v) AS DOUBLE)
    WHEN typeof(v) = 'JSON' THEN athena_no_json(CAST(1 AS DOUBLE)) ELSE CAST(v AS DOUBLE) END)[1];
CREATE MACRO athena_to_real(x) AS list_transform([x], lambda v:
  CASE WHEN typeof(v) = 'VARCHAR' THEN CAST(athena_float_text(v) AS FLOAT)
    WHEN typeof(v) = 'JSON' THEN athena_no_json(CAST(1 AS FLOAT)) ELSE CAST(v AS FLOAT) END)[1];
-- A double becomes the decimal that it is written as.
CREATE MACRO athena_decimal_source(x) AS CASE
  WHEN typeof(x) = 'JSON' THEN athena_no_json('')
  ELSE athena_number_text(x) END;
CREATE MACRO athena_to_boolean(x) AS list_transform([x], lambda v: CASE
  WHEN typeof(v) = 'JSON' THEN athena_no_json(true)
  WHEN typeof(v) <> 'VARCHAR' THEN CAST(v AS BOOLEAN)
  WHEN lower(CAST(v AS VARCHAR)) IN ('t', 'true', '1') THEN true
  WHEN lower(CAST(v AS VARCHAR)) IN ('f', 'false', '0') THEN false
  ELSE athena_bad_cast(v, 'boolean', true) END)[1];
CREATE MACRO athena_to_date(x) AS list_transform([x], lambda v: CASE
  WHEN typeof(v) = 'JSON' THEN athena_no_json(DATE '1970-01-01')
  WHEN typeof(v) <> 'VARCHAR' THEN CAST(v AS DATE)
  WHEN regexp_full_match(athena_stripped(v), '[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}') THEN CAST(athena_stripped(v) AS DATE)
  ELSE athena_bad_cast(v, 'date', DATE '1970-01-01') END)[1];
CREATE MACRO athena_to_timestamp(x) AS list_transform([x], lambda v: CASE
  WHEN typeof(v) = 'JSON' THEN athena_no_json(TIMESTAMP '1970-01-01')
  WHEN typeof(v) <> 'VARCHAR' THEN CAST(v AS TIMESTAMP)
  WHEN regexp_full_match(athena_stripped(v),
    '[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}( [0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2}(\.[0-9]{1,6})?)?)?')
    THEN date_trunc('millisecond', CAST(athena_stripped(v) AS TIMESTAMP) + to_microseconds(500))
  ELSE athena_bad_cast(v, 'timestamp', TIMESTAMP '1970-01-01') END)[1];
CREATE MACRO athena_to_varchar(x) AS list_transform([x], lambda v: CASE
  WHEN typeof(v) = 'VARCHAR' THEN CAST(v AS VARCHAR)
  WHEN athena_is_float(v) THEN CASE CAST(v AS VARCHAR) WHEN 'nan' THEN 'NaN' WHEN 'inf' THEN 'Infinity'
    WHEN '-inf' THEN '-Infinity' ELSE athena_scientific(CAST(v AS VARCHAR)) END
  WHEN typeof(v) = 'TIMESTAMP' THEN strftime(CAST(v AS TIMESTAMP), '%Y-%m-%d %H:%M:%S.%g')
  WHEN typeof(v) = 'TIMESTAMP WITH TIME ZONE' THEN strftime(CAST(v AS TIMESTAMP), '%Y-%m-%d %H:%M:%S.%g') || ' UTC'
  WHEN athena_is_integer(v) OR athena_is_decimal(v) OR typeof(v) IN ('BOOLEAN', 'DATE', '"NULL"') THEN CAST(v AS VARCHAR)
  ELSE athena_fail('cannot cast a ' || typeof(v) || ' to varchar', '') END)[1];
CREATE MACRO athena_to_varchar_of(x, n) AS list_transform([x], lambda v: CASE
  WHEN typeof(v) = 'VARCHAR' THEN substring(CAST(v AS VARCHAR), 1, n)
  WHEN length(athena_to_varchar(v)) > n
    THEN athena_fail('the value does not fit varchar(' || n || ')', '')
  ELSE athena_to_varchar(v) END)[1];

-- Dates and times. A timestamp with time zone is always in UTC, the session's zone.
-- y, mo, …: numbers of p's groups, 0 where the pattern has no such field; low: the first year two digits can mean.
CREATE MACRO athena_two_digits(t, low, lenient) AS CASE
  WHEN lenient AND length(t) <> 2 THEN CAST(t AS BIGINT)
  ELSE low + ((CAST(t AS BIGINT) - low) % 100 + 100) % 100 END;
CREATE MACRO athena_month_number(t) AS CASE WHEN regexp_full_match(t, '[0-9]+') THEN CAST(t AS BIGINT)
  ELSE (strpos('janfebmaraprmayjunjulaugsepoctnovdec', lower(substring(t, 1, 3))) + 2) // 3 END;
CREATE MACRO athena_half_day(t, half) AS CASE
  WHEN CAST(t AS BIGINT) NOT BETWEEN 1 AND 12
    THEN athena_fail('the hour must be in the range [1,12]', CAST(1 AS BIGINT))
  ELSE CAST(t AS BIGINT) % 12 + CASE WHEN lower(half) = 'pm' THEN 12 ELSE 0 END END;
CREATE MACRO athena_hour_of_day(t) AS CASE
  WHEN CAST(t AS BIGINT) > 23 THEN athena_fail('the hour must be in the range [0,23]', CAST(1 AS BIGINT))
  ELSE CAST(t AS BIGINT) END;
CREATE MACRO athena_second_of_minute(t) AS CASE
  WHEN CAST(t AS BIGINT) > 59 THEN athena_fail('the second must be in the range [0,59]', CAST(1 AS BIGINT))
  ELSE CAST(t AS BIGINT) END;
CREATE MACRO athena_parse(x, p, y, low, two, lenient, mo, d, h, h12, half, mi, s, f) AS list_transform([x], lambda v: CASE
  WHEN v IS NULL THEN NULL
  WHEN NOT regexp_matches(v, p) THEN athena_fail('invalid format: "' || v || '"', TIMESTAMP '1970-01-01')
  ELSE make_timestamp(
    CASE WHEN two THEN athena_two_digits(regexp_extract(v, p, y), low, lenient)
      ELSE CAST(regexp_extract(v, p, y) AS BIGINT) END,
    athena_month_number(regexp_extract(v, p, mo)),
    CAST(regexp_extract(v, p, d) AS BIGINT),
    CASE WHEN h > 0 THEN athena_hour_of_day(regexp_extract(v, p, h))
      WHEN h12 > 0 THEN athena_half_day(regexp_extract(v, p, h12), CASE WHEN half > 0 THEN regexp_extract(v, p, half) END)
      ELSE 0 END,
    CASE WHEN mi > 0 THEN CAST(regexp_extract(v, p, mi) AS BIGINT) ELSE 0 END,
    CASE WHEN s > 0 THEN athena_second_of_minute(regexp_extract(v, p, s)) ELSE 0 END)
    + to_milliseconds(CASE WHEN f > 0 THEN CAST(substring(rpad(regexp_extract(v, p, f), 3, '0'), 1, 3) AS BIGINT)
      ELSE 0 END) END)[1];
CREATE MACRO athena_in_utc(x) AS timezone('UTC', x);
CREATE MACRO athena_century() AS year(current_date) - 80;
CREATE MACRO athena_format(x, f) AS strftime(x, f);
CREATE MACRO athena_date_trunc(unit, x) AS cast_to_type(date_trunc(unit, x), x);
CREATE MACRO athena_date_diff(unit, a, b) AS date_sub(unit, a, b);
CREATE MACRO athena_timed(x) AS
  CASE WHEN typeof(x) = 'DATE' THEN athena_fail('a DATE has no hours, minutes or seconds', x) ELSE x END;
CREATE MACRO athena_holds(x, i) AS CASE
  WHEN typeof(x) = 'DATE' AND (hour(i) % 24 <> 0 OR minute(i) <> 0 OR microsecond(i) <> 0)
    THEN athena_fail('a DATE has no hours, minutes or seconds', x) ELSE x END;
CREATE MACRO athena_plus(x, i) AS cast_to_type(athena_holds(x, i) + i, x);
CREATE MACRO athena_less(x, i) AS cast_to_type(athena_holds(x, i) - i, x);
CREATE MACRO athena_year(x) AS year(x);
CREATE MACRO athena_quarter(x) AS quarter(x);
CREATE MACRO athena_month(x) AS month(x);
CREATE MACRO athena_week(x) AS week(x);
CREATE MACRO athena_year_of_week(x) AS isoyear(x);
CREATE MACRO athena_day(x) AS day(x);
CREATE MACRO athena_day_of_week(x) AS isodow(x);
CREATE MACRO athena_day_of_year(x) AS dayofyear(x);
CREATE MACRO athena_hour(x) AS hour(x);
CREATE MACRO athena_minute(x) AS minute(x);
CREATE MACRO athena_second(x) AS second(x);
CREATE MACRO athena_last_day_of_month(x) AS last_day(x);
CREATE MACRO athena_from_unixtime(x) AS to_timestamp(x);
CREATE MACRO athena_to_unixtime(x) AS epoch(x);
CREATE MACRO athena_from_iso8601_date(x) AS CASE
  WHEN regexp_full_match(x, '[0-9]{4}-[0-9]{2}-[0-9]{2}') THEN CAST(x AS DATE)
  ELSE athena_bad_cast(x, 'a date (yyyy-mm-dd)', DATE '1970-01-01') END;

-- A time zone that is not UTC would stay with the value in Athena.
CREATE MACRO athena_from_iso8601_timestamp(x) AS list_transform([x], lambda v: CASE
  WHEN regexp_full_match(v, '[0-9]{4}-[0-9]{2}-[0-9]{2}')
    OR regexp_full_match(v, '[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.,][0-9]+)?)?([Zz]|[+]00:?00)?')
    THEN timezone('UTC', CAST(substring(v, 1, 10) AS TIMESTAMP)
      + to_hours(coalesce(TRY_CAST(substring(v, 12, 2) AS BIGINT), 0))
      + to_minutes(coalesce(TRY_CAST(substring(v, 15, 2) AS BIGINT), 0))
      + to_seconds(coalesce(TRY_CAST(substring(v, 18, 2) AS BIGINT), 0))
      + to_milliseconds(CAST(substring(rpad(regexp_extract(v, '[.,]([0-9]+)', 1), 3, '0'), 1, 3) AS BIGINT)))
  WHEN regexp_matches(v, '[+-][0-9]{2}:?[0-9]{2}$')
    THEN athena_fail('from_iso8601_timestamp of a time that is not in UTC is not supported: "' || v || '"',
      TIMESTAMPTZ '1970-01-01 00:00:00+00')
  WHEN v IS NOT NULL THEN athena_fail('invalid format: "' || v || '"', TIMESTAMPTZ '1970-01-01 00:00:00+00') END)[1];

-- Arrays and maps.
CREATE MACRO athena_known(x) AS x IS NOT NULL;
CREATE MACRO athena_both(a, b) AS a AND b;
CREATE MACRO athena_entry(k, v) AS {'k': k, 'v': v};
CREATE MACRO athena_map_of(entries) AS CASE
  WHEN len(entries) > len(list_distinct(list_transform(entries, lambda e: e.k)))
    THEN athena_fail('map_agg: a key comes with several values, and nothing says which one stays', map_from_entries(entries))
  ELSE map_from_entries(entries) END;
CREATE MACRO athena_subscript(l, i) AS list_transform([{'l': l, 'i': i}], lambda s: CASE
  WHEN athena_is_array(s.l) AND TRY_CAST(s.i AS BIGINT) < 1
    THEN s.l[athena_fail('array subscripts start at 1', s.i)]
  WHEN s.l[s.i] IS NULL AND s.l IS NOT NULL AND s.i IS NOT NULL
    AND NOT (athena_is_array(s.l) AND TRY_CAST(s.i AS BIGINT) <= len(TRY_CAST(s.l AS VARCHAR[])))
    THEN s.l[athena_fail('subscript ' || CAST(s.i AS VARCHAR) || ' is not there', s.i)]
  ELSE s.l[s.i] END)[1];
CREATE MACRO athena_element_at(l, i) AS CASE
  WHEN athena_is_array(l) AND TRY_CAST(i AS BIGINT) = 0 THEN l[athena_fail('array subscripts start at 1', i)]
  ELSE l[i] END;
CREATE MACRO athena_cardinality(l) AS len(l);
CREATE MACRO athena_has_null(l) AS len(l) > list_aggregate(l, 'count');
CREATE MACRO athena_contains(l, x) AS CASE
  WHEN l IS NULL OR x IS NULL THEN NULL WHEN list_contains(l, x) THEN true WHEN athena_has_null(l) THEN NULL
  ELSE false END;
CREATE MACRO athena_array_position(l, x) AS
  CASE WHEN l IS NOT NULL AND x IS NOT NULL THEN CAST(coalesce(list_position(l, x), 0) AS BIGINT) END;
CREATE MACRO athena_array_join(l, part)
  AS array_to_string(list_transform(l, lambda e: athena_to_varchar(e)), part),
  (l, part, missing)
  AS array_to_string(list_transform(l, lambda e: coalesce(athena_to_varchar(e), missing)), part);
CREATE MACRO athena_array_distinct(l) AS list_filter(l, lambda e, i: list_position(l, e) = i);
CREATE MACRO athena_array_sort(l) AS list_sort(l, 'ASC', 'NULLS LAST');
CREATE MACRO athena_array_max(l) AS CASE WHEN NOT athena_has_null(l) THEN list_max(l) END;
CREATE MACRO athena_array_min(l) AS CASE WHEN NOT athena_has_null(l) THEN list_min(l) END;
CREATE MACRO athena_array_remove(l, x) AS
  CASE WHEN x IS NOT NULL THEN list_filter(l, lambda e: e IS NULL OR e <> x) END;
CREATE MACRO athena_array_except(a, b) AS
  CASE WHEN b IS NOT NULL THEN list_filter(athena_array_distinct(a), lambda e: list_position(b, e) IS NULL) END;
CREATE MACRO athena_array_union(a, b) AS athena_array_distinct(a || b);
CREATE MACRO athena_slice(l, start, n) AS CASE
  WHEN start = 0 OR n < 0 THEN athena_fail('slice: start must not be 0, length not negative', l)
  WHEN start > 0 THEN l[start:start + n - 1]
  WHEN -start > len(l) THEN l[1:0]
  ELSE l[len(l) + start + 1:len(l) + start + n] END;
CREATE MACRO athena_flatten(l) AS flatten(l);
CREATE MACRO athena_repeat(x, n) AS list_transform(range(CAST(n AS BIGINT)), lambda i: x);
CREATE MACRO athena_sequence(a, b) AS generate_series(a, b, CASE WHEN a <= b THEN 1 ELSE -1 END),
  (a, b, step) AS list_transform(generate_series(a, b, step), lambda e: cast_to_type(e, a));
-- Of a list of truth values: three-valued, as Athena's *_match are.
CREATE MACRO athena_any(l) AS CASE
  WHEN list_contains(l, true) THEN true WHEN athena_has_null(l) THEN NULL WHEN l IS NOT NULL THEN false END;
CREATE MACRO athena_all(l) AS CASE
  WHEN list_contains(l, false) THEN false WHEN athena_has_null(l) THEN NULL WHEN l IS NOT NULL THEN true END;
CREATE MACRO athena_not(b) AS NOT b;
CREATE MACRO athena_empty_to_null(l) AS list_transform(l, lambda e: nullif(e, ''));
CREATE MACRO athena_map(k, v) AS map(k, v);
CREATE MACRO athena_map_entries(m) AS map_entries(m);
CREATE MACRO athena_map_keys(m) AS map_keys(m);
CREATE MACRO athena_map_values(m) AS map_values(m);

-- What UNNEST unnests: an array whose elements are one column each, and one whose elements are rows.
CREATE MACRO athena_is_rows(t) AS starts_with(t, 'STRUCT(') AND suffix(t, ')[]');
CREATE MACRO athena_elements(x, settled) AS CASE WHEN settled IS NULL THEN athena_array(x) ELSE x END;
CREATE MACRO athena_array(x) AS CASE
  WHEN NOT athena_is_array(x) THEN athena_fail('UNNEST of what is no array', x) ELSE x END;

-- JSON; the path is vetted. A number's spelling is lost in DuckDB, so a fraction is refused.
CREATE MACRO athena_json_extract_scalar(x, path) AS CASE WHEN json_valid(x) THEN CASE json_type(x, path)
  WHEN 'OBJECT' THEN NULL WHEN 'ARRAY' THEN NULL WHEN 'NULL' THEN NULL
  WHEN 'DOUBLE' THEN athena_fail('json_extract_scalar of a fractional number is not supported', '')
  ELSE json_extract_string(x, path) END END;
CREATE MACRO athena_json_extract(x, path) AS CASE WHEN json_valid(x) THEN json_extract(x, path) END;
CREATE MACRO athena_json_parse(x) AS CASE WHEN x IS NULL OR json_valid(x) THEN json(x)
  ELSE athena_fail('cannot convert value to JSON: ' || x, json('null')) END;
CREATE MACRO athena_json_items(x) AS CASE WHEN json_type(x) IN ('ARRAY', 'NULL') OR x IS NULL THEN CAST(x AS JSON[])
  ELSE athena_fail('cannot cast a JSON value to an array: it is none', CAST(NULL AS JSON[])) END;
CREATE MACRO athena_json_array_length(x) AS
  CASE WHEN json_valid(x) AND json_type(x) = 'ARRAY' THEN CAST(json_array_length(x) AS BIGINT) END;

-- JSON numbers with a point or an exponent as text: what Athena reads into a column of text is that of Java's BigDecimal,
-- `1.50` for 1.50 and `1E+3` for 1e3. https://docs.oracle.com/javase/8/docs/api/java/math/BigDecimal.html#toString--
-- Of the parts: s sign, i digits before and f behind the point, e exponent; d all digits, n how many are behind the point.
CREATE MACRO athena_json_number(x) AS list_transform(
  list_transform(
    [regexp_extract(x, '^(-?)([0-9]+)(?:[.]([0-9]+))?(?:[eE]([+-]?[0-9]+))?$', ['s', 'i', 'f', 'e'])],
    lambda p: {
      s: p.s,
      d: coalesce(nullif(ltrim(p.i || p.f, '0'), ''), '0'),
      n: length(p.f) - coalesce(TRY_CAST(p.e AS INTEGER), 0)
    }
  ),
  lambda p: CASE WHEN p.d = '0' THEN '' ELSE p.s END || CASE
    WHEN p.n = 0 THEN p.d
    WHEN p.n > 0 AND length(p.d) - 1 - p.n >= -6 THEN
      left(lpad(p.d, greatest(length(p.d), p.n + 1)::INTEGER, '0'), greatest(length(p.d) - p.n, 1)) || '.'
      || right(lpad(p.d, greatest(length(p.d), p.n + 1)::INTEGER, '0'), p.n)
    ELSE p.d[1] || CASE WHEN length(p.d) > 1 THEN '.' || p.d[2:] ELSE '' END
      || 'E' || CASE WHEN length(p.d) - 1 > p.n THEN '+' ELSE '' END || (length(p.d) - 1 - p.n)
  END
)[1];
CREATE MACRO athena_exact_json(x) AS CASE
  WHEN regexp_matches(CAST(x AS VARCHAR), '[:\[,]\s*-?[0-9]+[.eE]') THEN CAST(array_to_string(list_transform(
    regexp_extract_all(CAST(x AS VARCHAR), '"(?:[^"\\]|\\.)*"|-?[0-9]+(?:[.][0-9]+)?(?:[eE][+-]?[0-9]+)?|[^"0-9-]+'),
    lambda token: CASE WHEN regexp_matches(token, '^-?[0-9]+[.eE]') THEN '"' || athena_json_number(token) || '"' ELSE token END
  ), '') AS JSON)
  ELSE x END;

//! What mends an AWS error, where its words tell.

/// What an error's code and message hold, in lower case, `*` between parts → what to do. The first that fits counts.
const ADVICE: [(&[&str], &str); 17] = [
    (&["lake formation"], "grant what it names in Lake Formation to the identity that runs crawlguard"),
    (
        &["expiredtoken", "requestexpired", "token has expired", "token is expired"],
        "log in again (`aws sso login`), or renew the credentials",
    ),
    (&["requesttimetooskewed"], "set this machine's clock"),
    (
        &[
            "unrecognizedclient",
            "invalidclienttokenid",
            "invalidaccesskeyid",
            "signaturedoesnotmatch",
            "invalidsignature",
        ],
        "check the credentials, and that `region` is one of their account's",
    ),
    (
        &[
            "no credentials",
            "provided credentials",
            "credential provider",
            "credentials provider",
            "loading credentials",
            "missingauthenticationtoken",
        ],
        "log in (`aws sso login`), set `profile` in crawlguard.toml, or the AWS_ variables",
    ),
    (&["nosuchbucket"], "create the bucket, or mend its name in crawlguard.toml"),
    (
        &["permanentredirect", "authorizationheadermalformed", "illegallocationconstraint"],
        "the bucket is in another region: mend `region` or the bucket's name",
    ),
    (
        &["bytes scanned limit", "bytesscannedcutoff"],
        "raise the workgroup's cut-off (BytesScannedCutoffPerQuery), or let the model read less",
    ),
    (&["no output location"], "set `results` in crawlguard.toml, or the workgroup's output location"),
    (&["workgroup*not found"], "create the workgroup, or mend `workgroup` or `region` in crawlguard.toml"),
    (
        &["entitynotfoundexception: database"],
        "create the Glue database, or mend `database` or `region` in crawlguard.toml",
    ),
    (&["entitynotfoundexception: crawler"], "create the crawler, or mend `crawler` or `region` in crawlguard.toml"),
    (
        &["topic does not exist", "invalid parameter: topicarn"],
        "create the topic, or mend `topic` or `region` in crawlguard.toml",
    ),
    (&["invalidobjectstate"], "the object is archived: restore it, or move it away"),
    (&["kmsaccessdenied", "kms:"], "allow the KMS key that it names"),
    (
        &["region must be", "missing region", "no region", "missing signing region"],
        "set `region` in crawlguard.toml, or AWS_REGION",
    ),
    (&["tcp connect error", "dns error"], "check the network and `region`, and AWS_ENDPOINT_URL where it is set"),
];

/// What to do about an error that says this, if that is known.
pub fn advice(said: &str) -> Option<&'static str> {
    let said = said.to_lowercase();
    let fits = |words: &[&str]| words.iter().any(|word| word.split('*').all(|part| said.contains(part)));
    ADVICE.iter().find(|(words, _)| fits(words)).map(|(_, advice)| *advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_what_mends_it() {
        for (said, expected) in [
            (
                "AccessDeniedException: Insufficient Lake Formation permission(s): Required Describe on raw_a",
                Some("Lake Formation"),
            ),
            ("ExpiredTokenException: The security token included in the request is expired", Some("log in again")),
            (
                "UnrecognizedClientException: The security token included in the request is invalid.",
                Some("check the credentials"),
            ),
            ("dispatch failure: no credentials in the default chain", Some("aws sso login")),
            ("an error occurred while loading credentials: failed to load IMDS session token", Some("aws sso login")),
            ("client error (Connect): tcp connect error: Connection refused (os error 111)", Some("AWS_ENDPOINT_URL")),
            ("NoSuchBucket: The specified bucket does not exist", Some("create the bucket")),
            ("PermanentRedirect", Some("another region")),
            ("cancelled: Query cancelled! : Bytes scanned limit was exceeded", Some("BytesScannedCutoffPerQuery")),
            ("InvalidRequestException: WorkGroup nightly is not found.", Some("`workgroup`")),
            ("InvalidRequestException: No output location provided. An output location is required", Some("`results`")),
            ("EntityNotFoundException: Database shop not found.", Some("`database`")),
            ("NotFound: Topic does not exist", Some("`topic`")),
            (
                "AccessDeniedException: not authorized to perform athena:StartQueryExecution on arn:aws:athena:workgroup/a",
                None,
            ),
            ("SYNTAX_ERROR: line 1:8: Column 'x' cannot be resolved", None),
            ("EntityNotFoundException: Table raw_a not found.", None),
        ] {
            let found = advice(said);
            match expected {
                Some(word) => assert!(found.is_some_and(|advice| advice.contains(word)), "{said}: {found:?}"),
                None => assert_eq!(found, None, "{said}"),
            }
        }
    }
}

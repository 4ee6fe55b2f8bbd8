//! An AWS target, opened: its settings, its clients, and the adapters on them.

use crate::aws::{self, Call, S3Folder, Signed};
use crate::catalog::glue::GlueCatalog;
use crate::config::Aws;
use crate::engine::athena::{AthenaEngine, AthenaSettings};
use crate::notify::sns::SnsNotifier;
use crate::port::{PortError, PortErrorKind};
use crate::store::s3::S3Store;

const WHO: Call = Call::new("ask who calls in", "sts:GetCallerIdentity");

/// One AWS target. Clients are made once; adapters are cheap.
#[derive(Debug, Clone)]
pub struct Cloud {
    pub settings: Aws,
    pub glue: aws_sdk_glue::Client,
    pub athena: aws_sdk_athena::Client,
    pub s3: aws_sdk_s3::Client,
    pub sns: aws_sdk_sns::Client,
    pub sts: aws_sdk_sts::Client,
    /// What has no SDK here.
    pub signed: Signed,
}

impl Cloud {
    /// Opens a target with the SDK's default chain; nothing is called yet.
    pub async fn open(settings: Aws) -> Self {
        let config = aws::config(settings.region.as_deref(), settings.profile.as_deref()).await;
        Self::with(settings, &config)
    }

    /// A target on clients of the caller's configuration.
    pub fn with(settings: Aws, config: &aws_config::SdkConfig) -> Self {
        Self {
            settings,
            glue: aws_sdk_glue::Client::new(config),
            athena: aws_sdk_athena::Client::new(config),
            s3: aws::s3(config),
            sns: aws_sdk_sns::Client::new(config),
            sts: aws_sdk_sts::Client::new(config),
            signed: Signed::new(config),
        }
    }

    /// The region that calls go to, by the settings or the environment.
    pub fn region(&self) -> Option<&str> {
        self.glue.config().region().map(AsRef::as_ref)
    }

    /// The account and the ARN of whoever calls.
    ///
    /// <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>
    pub async fn identity(&self) -> Result<(String, String), PortError> {
        let answer = self.sts.get_caller_identity().send().await.map_err(|error| WHO.failed(self.account(), error))?;
        Ok((answer.account.unwrap_or_default(), answer.arn.unwrap_or_default()))
    }

    fn account(&self) -> String {
        let wanted = self.settings.account.as_ref();
        wanted.map_or_else(|| "the account".to_owned(), |account| format!("account {account}"))
    }

    /// The ARN of whoever calls; refused if that is in another account than the target.
    pub async fn caller(&self) -> Result<String, PortError> {
        let (account, arn) = self.identity().await?;
        if self.settings.account.as_ref().is_some_and(|wanted| *wanted != account) {
            let message = format!(
                "the target is in it by `account` in crawlguard.toml, and the credentials are of account {account} ({arn}); \
                 use others, or mend `account`"
            );
            return Err(PortError::new(PortErrorKind::Denied, "act in", self.account(), message));
        }
        Ok(arn)
    }

    pub fn catalog(&self) -> GlueCatalog {
        let Aws { database, crawler, header_files, header_files_listed, .. } = &self.settings;
        let catalog = GlueCatalog::new(self.glue.clone(), database).with_crawler(crawler.clone());
        catalog.with_headers(self.s3.clone(), *header_files, *header_files_listed)
    }

    pub fn engine(&self) -> AthenaEngine {
        let settings = AthenaSettings {
            workgroup: self.settings.workgroup.clone(),
            database: self.settings.database.clone(),
            warehouse: folder(&self.settings.warehouse),
            output: self.settings.results.clone(),
        };
        AthenaEngine::new(self.athena.clone(), self.s3.clone(), settings)
    }

    pub fn store(&self) -> S3Store {
        S3Store::new(self.s3.clone(), folder(&self.settings.state))
    }

    pub fn notifier(&self) -> SnsNotifier {
        SnsNotifier::new(self.sns.clone(), &self.settings.topic).with_receipts(self.settings.receipts)
    }
}

fn folder(uri: &str) -> S3Folder {
    S3Folder::parse(uri).expect("config::parse refuses anything else")
}

//! The program itself, on a laptop that has credentials for the account.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::fake::REGION;
use super::lake::Lake;

/// A checkout of the project, and the way to the account.
pub struct Laptop {
    folder: tempfile::TempDir,
    pub url: String,
    pub has_credentials: bool,
    pub region: Option<&'static str>,
}

/// What the program said.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Said {
    /// The result, as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Laptop {
    /// The lake's project as it stands.
    pub fn new(lake: &Lake) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let laptop = Self { folder, url: lake.aws.listen(), has_credentials: true, region: Some(REGION) };
        for (file, text) in lake.files() {
            laptop.write(&file, &text);
        }
        laptop
    }

    pub fn write(&self, file: &str, text: &str) {
        let path = self.folder.path().join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    /// A command on the target `prod`.
    pub fn says(&self, arguments: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crawlguard"));
        command.args(["--target", "prod"]).args(arguments).current_dir(self.folder.path()).env_clear();
        command.env("AWS_ENDPOINT_URL", &self.url).envs(self.region.map(|region| ("AWS_REGION", region)));
        // Nothing of this machine's: no profile, no role of an instance.
        command.env("HOME", self.folder.path()).env("AWS_EC2_METADATA_DISABLED", "true");
        command.envs(library_path());
        if self.has_credentials {
            command.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("AWS_SECRET_ACCESS_KEY", "secret");
        }
        let output = command.output().expect("the program starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }
}

/// Where the engine's library is, if cargo says it by the environment.
fn library_path() -> Option<(&'static str, String)> {
    let names = ["LD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"];
    names.into_iter().find_map(|name| Some((name, std::env::var(name).ok()?)))
}

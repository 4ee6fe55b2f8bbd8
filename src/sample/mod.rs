//! The demo's project: a lake of synthetic rows with the first user's dirt, and three arrivals that change it.
//!
//! The models and contracts are the repository's own, so the demo shows what the first user runs; two more
//! sources bring the formats that they lack: `source_4` is CSV with a header, `source_5` is Parquet.
//! Nothing here is read from disk or made up at run time: what is written is what is committed.

use std::fs;
use std::io;
use std::path::Path;

/// A file of the demo, by its path in the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File {
    pub path: &'static str,
    pub bytes: &'static [u8],
}

/// Files that land in the lake over those of the same name.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// What is different about them, as the demo's headline says it.
    pub title: &'static str,
    pub files: &'static [File],
}

macro_rules! files {
    ($from:literal => $to:literal: $($name:literal),+ $(,)?) => {
        &[$(File { path: concat!($to, "/", $name), bytes: include_bytes!(concat!($from, "/", $name)) }),+]
    };
}

const LAKE: &[File] = files!("data/lake" => "lake":
    "salesforce-leads/leads.json",
    "source_1/source1.json",
    "source_2/source2.json",
    "source_3/source3.json",
    "source_4/inspections.csv",
    "source_5/enrollments.parquet",
);

const MODELS: &[File] = files!("../../sql" => "sql":
    "int_salesforce_leads.sql",
    "int_operations.sql",
    "int_facility_details.sql",
    "int_credentials.sql",
    "fact_leads.sql",
);

const SAMPLE_MODELS: &[File] = files!("sql" => "sql":
    "int_inspections.sql",
    "int_enrollments.sql",
    "fact_operations.sql",
);

const CONTRACTS: &[File] = files!("../../contracts" => "contracts":
    "raw_salesforce_leads.json",
    "raw_source_1.json",
    "raw_source_2.json",
    "raw_source_3.json",
    "int_salesforce_leads.json",
    "int_operations.json",
    "int_facility_details.json",
    "int_credentials.json",
    "fact_leads.json",
);

const SAMPLE_CONTRACTS: &[File] = files!("contracts" => "contracts":
    "raw_source_4.json",
    "raw_source_5.json",
    "int_inspections.json",
    "int_enrollments.json",
    "fact_operations.json",
);

/// What arrives, in the order in which the demo shows it.
pub const ARRIVALS: [Arrival; 3] = [
    Arrival {
        title: "a new column at the end of source_1, a new field in the leads",
        files: files!("data/arrival_1" => "lake":
            "source_1/source1.json",
            "salesforce-leads/leads.json",
        ),
    },
    Arrival {
        title: "a renamed column in source_3, a column inserted in the middle of source_4's CSV",
        files: files!("data/arrival_2" => "lake":
            "source_3/source3.json",
            "source_4/inspections.csv",
        ),
    },
    Arrival {
        title: "half of source_2's rows, and none with a company",
        files: files!("data/arrival_3" => "lake":
            "source_2/source2.json",
        ),
    },
];

/// Writes the lake, the models and the contracts under `dir`, over files of the same name.
pub fn write(dir: &Path) -> io::Result<()> {
    [LAKE, MODELS, SAMPLE_MODELS, CONTRACTS, SAMPLE_CONTRACTS].iter().try_for_each(|files| write_files(dir, files))
}

impl Arrival {
    /// Lets the files land in the lake of the project in `dir`.
    pub fn land(&self, dir: &Path) -> io::Result<()> {
        write_files(dir, self.files)
    }

    /// Puts the first files back in the place of this arrival's.
    pub fn take_back(&self, dir: &Path) -> io::Result<()> {
        let first: Vec<_> =
            LAKE.iter().filter(|file| self.files.iter().any(|mine| mine.path == file.path)).copied().collect();
        write_files(dir, &first)
    }
}

fn write_files(dir: &Path, files: &[File]) -> io::Result<()> {
    for file in files {
        let path = dir.join(file.path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, file.bytes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrival_changes_files_that_are_there() {
        for arrival in ARRIVALS {
            for file in arrival.files {
                let before = LAKE.iter().find(|known| known.path == file.path).expect(file.path);
                assert_ne!(before.bytes, file.bytes, "{} arrives unchanged", file.path);
            }
        }
    }

    #[test]
    fn no_two_arrivals_change_the_same_file() {
        let mut paths: Vec<_> = ARRIVALS.iter().flat_map(|arrival| arrival.files).map(|file| file.path).collect();
        let count = paths.len();
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), count);
    }

    #[test]
    fn the_project_lies_where_it_was_asked_for() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        write(dir.path()).expect("the folder is writable");
        ARRIVALS[2].land(dir.path()).expect("the folder is writable");
        let halved = fs::read_to_string(dir.path().join("lake/source_2/source2.json")).expect("it was written");
        assert_eq!(halved.lines().count(), 15);
        assert!(dir.path().join("sql/fact_leads.sql").is_file());
    }
}

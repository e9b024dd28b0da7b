//! What was measured, as text and rows, and the record of it.

use std::process::Command;

/// Text and figures of a run.
#[derive(Debug, Default)]
pub struct Report {
    /// What was printed.
    pub text: String,
    /// Workload or scenario, its size, figure, value.
    pub rows: Vec<(String, usize, String, f64)>,
}

impl Report {
    /// Prints, and keeps.
    pub fn say(&mut self, text: &str) {
        print!("{text}");
        self.text += text;
    }

    /// Writes `record/DATE-COMMIT.md` and `.csv`, with a suffix behind the commit.
    ///
    /// # Errors
    /// Those of the files.
    pub fn write(&self, suffix: &str, program: &str, size: &str) -> std::io::Result<()> {
        let said = |program: &str, arguments: &[&str]| {
            let output = Command::new(program).args(arguments).output().ok();
            output.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned()).unwrap_or_default()
        };
        let date = said("date", &["-u", "+%Y-%m-%d"]);
        let commit = said("git", &["rev-parse", "--short", "HEAD"]);
        let changed =
            if said("git", &["status", "--porcelain", "-uno"]).is_empty() { "" } else { ", with changes" };
        let machine = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let processor = machine.lines().find_map(|l| l.strip_prefix("model name")).unwrap_or(": unknown");
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/record");
        std::fs::create_dir_all(folder)?;
        let command = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
        let head = format!(
            "# Figures of {date}\n\n* command: `{program} -- {command}`\n* commit: {commit}{changed}\n\
             * machine: {}, {cores} cores, shared\n* compiler: {}\n* load when it ended: {}\n",
            processor.trim_start_matches([' ', '\t', ':']),
            said("rustc", &["-V"]),
            std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim(),
        );
        let name = format!("{folder}/{date}-{commit}{suffix}");
        std::fs::write(format!("{name}.md"), format!("{head}\n```text\n{}\n```\n", self.text.trim()))?;
        let mut rows = format!("{size},figure,value\n");
        for (workload, size, figure, value) in &self.rows {
            rows += &format!("{workload},{size},\"{figure}\",{value}\n");
        }
        std::fs::write(format!("{name}.csv"), rows)
    }
}

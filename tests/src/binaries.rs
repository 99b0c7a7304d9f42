//! Where the programs under test are.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is one level down").to_owned()
}

/// The node.
pub fn node() -> PathBuf {
    directory().join("quoris-node")
}

/// The command-line tool.
pub fn cli() -> PathBuf {
    directory().join("cluster-cli")
}

/// `QUORIS_BIN_DIR`, relative to the root, or the debug build, which is made if it is out of date:
/// cargo does not build another package's programs for a test.
fn directory() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| {
        if let Ok(given) = std::env::var("QUORIS_BIN_DIR") {
            return root().join(given);
        }
        let status = Command::new(env!("CARGO"))
            .current_dir(root())
            .args([
                "build",
                "--quiet",
                "--locked",
                "-p",
                "quoris-server",
                "-p",
                "quoris-cluster-cli",
            ])
            .arg("--bins")
            .status()
            .expect("cargo runs these tests, so it can be run");
        assert!(status.success(), "the programs under test do not build");
        let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
        root().join(target).join("debug")
    })
}

//! Whether a program is there.

use std::path::{Path, PathBuf};

use super::Environment;

/// Whether the program can be run: by its path, or by its name on the `PATH`.
pub(crate) fn is_installed(program: &str, environment: &Environment) -> bool {
    if program.contains('/') {
        return is_executable(Path::new(program));
    }
    std::env::split_paths(environment.get("PATH").unwrap_or_default())
        .any(|folder: PathBuf| is_executable(&folder.join(program)))
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

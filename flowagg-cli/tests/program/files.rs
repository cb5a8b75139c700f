//! Files are written completely or not at all.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use snapbox::{assert_data_eq, str};

use crate::{Said, offline_in};

const INIT: [&str; 11] = [
    "init",
    "--offline",
    "--hub-account",
    "111122223333",
    "--region",
    "eu-west-1",
    "--bucket",
    "acme-flow-logs",
    "--account",
    "222222222222",
    "--force",
];

/// The names of all entries in a folder.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn man_pages_are_the_only_files_in_their_folder() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        assert_eq!(offline_in(folder.path(), &["man", "--out", "pages"], "").code, Some(0));
    }
    let pages = names(&folder.path().join("pages"));
    assert!(pages.len() > 20 && pages.iter().all(|page| page.ends_with(".1")), "{pages:?}");
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn existing_file_keeps_its_permissions_and_new_one_has_the_default() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("flowagg.toml");
        assert_eq!(offline_in(folder.path(), &INIT, "").code, Some(0));
        let other = folder.path().join("other");
        fs::write(&other, "").unwrap();
        assert_eq!(mode(&file), mode(&other));
        fs::write(&file, "mine").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(offline_in(folder.path(), &INIT, "").code, Some(0));
        assert_eq!(mode(&file), 0o640);
        assert!(fs::read_to_string(&file).unwrap().contains("acme-flow-logs"));
        assert_eq!(names(folder.path()), ["flowagg.toml", "other"]);
    }

    #[test]
    fn symbolic_link_is_kept_and_its_target_replaced() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("fleets")).unwrap();
        symlink("fleets/emea.toml", folder.path().join("link")).unwrap();
        symlink("link", folder.path().join("flowagg.toml")).unwrap();
        let target = folder.path().join("fleets/emea.toml");
        // At first, the target does not exist.
        for _ in 0..2 {
            let said = offline_in(folder.path(), &INIT, "");
            assert_eq!(said.code, Some(0), "{}", said.err);
            assert!(fs::read_to_string(&target).unwrap().contains("acme-flow-logs"));
            let link = fs::read_link(folder.path().join("flowagg.toml")).unwrap();
            assert_eq!(link, PathBuf::from("link"));
            fs::write(&target, "mine").unwrap();
        }
        assert_eq!(names(&folder.path().join("fleets")), ["emea.toml"]);
    }

    #[test]
    fn failed_write_is_reported_and_keeps_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("flowagg.toml");
        fs::write(&file, "mine").unwrap();
        // Limits file sizes to one block of 512 bytes and ignores the signal for exceeding it.
        let script = "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\"";
        let mut command = Command::new("sh");
        command.args(["-c", script, env!("CARGO_BIN_EXE_flowagg")]).args(INIT).current_dir(folder.path());
        let said = Said::of(command.env_clear().output().unwrap());
        assert_eq!(said.code, Some(1), "{}{}", said.out, said.err);
        assert_data_eq!(
            said.err,
            str![[r#"
error: `flowagg.toml` cannot be written: File too large (os error [..])
       choose a file in a writable folder

"#]]
        );
        assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
        assert_eq!(names(folder.path()), ["flowagg.toml"]);
    }

    #[test]
    fn link_loops_and_missing_folders_are_reported() {
        let folder = tempfile::tempdir().unwrap();
        symlink("flowagg.toml", folder.path().join("flowagg.toml")).unwrap();
        let said = offline_in(folder.path(), &INIT, "");
        assert_eq!(said.code, Some(1));
        assert_data_eq!(
            said.err,
            str![[r#"
error: `flowagg.toml` cannot be read: [..] (os error [..]); nothing was written
       choose a folder with read and write access

"#]]
        );
        fs::write(folder.path().join("file"), "").unwrap();
        let said = offline_in(folder.path(), &[&INIT[..], &["--config", "file/flowagg.toml"]].concat(), "");
        assert_eq!(said.code, Some(1));
        assert_data_eq!(
            said.err,
            str![[r#"
error: `file/flowagg.toml` cannot be read: Not a directory (os error [..]); nothing was written
       choose a folder with read and write access

"#]]
        );
    }
}

//! The container image: the static programs of a release without a base image, as one file in the OCI format. The workflow publishes
//! this file.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};
use tempfile::TempDir;

use super::oci::Image;
use super::smoke;
use super::target::{Target, VERSION};
use crate::cargo::{is_there, root, run};
use crate::python;

const CONTAINERFILE: &str = "xtask/release/Containerfile";
/// The user and group of the image, with numbers that no other process of a host should have.
const USER: &str = "10001:10001";
const PASSWD: &str = "flowagg:x:10001:10001::/home/flowagg:/sbin/nologin\n";
const GROUP: &str = "flowagg:x:10001:\n";
const ENTRY: &str = "/usr/local/bin/flowagg";
const AUTHORITIES: &str = "etc/ssl/certs/ca-certificates.crt";
/// Every file of an image. Other files are an error.
const FILES: [&str; 6] = [
    "etc/group",
    "etc/passwd",
    AUTHORITIES,
    "usr/local/bin/flowagg",
    "usr/share/doc/flowagg/LICENSE-APACHE",
    "usr/share/doc/flowagg/LICENSE-MIT",
];
/// A program that builds and runs images without a daemon.
const BUILDAH: &str = "buildah";

/// The file name of the image.
pub(super) fn name() -> String {
    format!("flowagg-{VERSION}-image.tar")
}

/// Whether images can be built on this machine.
pub(super) fn is_possible() -> bool {
    cfg!(target_os = "linux") && is_there(BUILDAH)
}

/// A store of images, which is deleted when this value is dropped.
pub(super) struct Store {
    folder: TempDir,
}

/// A written image and its contents.
pub(super) struct Built {
    pub(super) path: PathBuf,
    pub(super) digest: String,
    /// The platforms of the image, each with the size of its program in bytes.
    pub(super) platforms: Vec<(Target, u64)>,
}

impl Store {
    pub(super) fn new() -> anyhow::Result<Self> {
        if !is_possible() {
            bail!("`{BUILDAH}` is not installed; install the Debian package `{BUILDAH}`");
        }
        Ok(Self { folder: TempDir::with_prefix("flowagg-image-")? })
    }

    fn buildah(&self) -> Command {
        let mut buildah = Command::new(BUILDAH);
        buildah.args(self.options());
        buildah
    }

    fn options(&self) -> Vec<String> {
        let folder = |name: &str| self.folder.path().join(name).display().to_string();
        let options = ["--storage-driver", "vfs", "--root", &folder("root"), "--runroot", &folder("run")];
        options.map(str::to_owned).to_vec()
    }

    /// Builds the image of these platforms into a folder, and compares its contents with the input.
    pub(super) fn build(
        &self,
        programs: &[(Target, PathBuf)],
        moment: u64,
        folder: &Path,
    ) -> anyhow::Result<Built> {
        let context = TempDir::with_prefix("flowagg-image-context-")?;
        let context = context.path();
        fs::copy(authorities()?, context.join("ca-certificates.crt"))?;
        fs::write(context.join("passwd"), PASSWD)?;
        fs::write(context.join("group"), GROUP)?;
        for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
            fs::copy(root().join(licence), context.join(licence))?;
        }
        let mut platforms = Vec::new();
        for (target, program) in programs {
            let architecture =
                target.architecture_of_image().context("images do not support this platform")?;
            fs::create_dir(context.join(architecture))?;
            fs::copy(program, context.join(architecture).join("flowagg"))?;
            platforms.push(format!("linux/{architecture}"));
        }
        let mut build = self.buildah();
        build.args([
            "build",
            "--quiet",
            "--format",
            "oci",
            "--identity-label=false",
            "--manifest",
            "flowagg",
        ]);
        build.arg("--timestamp").arg(moment.to_string()).arg("--platform").arg(platforms.join(","));
        build.arg("--label").arg(format!("org.opencontainers.image.version={VERSION}"));
        build.arg("--file").arg(root().join(CONTAINERFILE)).arg(context).stdout(Stdio::null());
        run(&mut build)?;
        let path = folder.join(name());
        // `buildah` would add to an existing file.
        if path.exists() {
            fs::remove_file(&path)?;
        }
        let archive = format!("oci-archive:{}", path.display());
        run(self.buildah().args(["manifest", "push", "--quiet", "--all", "flowagg", &archive]))?;
        let digest = check(&path, programs)?;
        let sizes = programs.iter().map(|(target, program)| Ok((*target, fs::metadata(program)?.len())));
        Ok(Built { path, digest, platforms: sizes.collect::<anyhow::Result<_>>()? })
    }

    /// Writes a script that runs the program in the image, as the image's user, on the network of the host. The script mounts a copy of its
    /// working folder at `/fleet`, and the given file instead of the image's certificates.
    pub(super) fn runnable(
        &self,
        image: &Path,
        certificates: Option<&Path>,
        scripts: &Path,
    ) -> anyhow::Result<PathBuf> {
        let mut from = self.buildah();
        from.args(["from", "--quiet", &format!("oci-archive:{}", image.display())]);
        let container = from.output().context("could not start `buildah`")?;
        let stderr = String::from_utf8_lossy(&container.stderr);
        ensure!(container.status.success(), "cannot run {}: {stderr}", image.display());
        let container = String::from_utf8(container.stdout)?.trim().to_owned();
        // The caller may clear the environment, and other users may have no access to its folder.
        let kept = ["HOME", "PATH", "XDG_RUNTIME_DIR"]
            .into_iter()
            .filter_map(|name| Some((name, env::var(name).ok()?)));
        let kept: Vec<_> = kept.map(|(name, value)| format!("{name}='{value}'")).collect();
        let mount = certificates
            .map_or_else(String::new, |file| format!("--volume '{}:/{AUTHORITIES}:ro'", file.display()));
        let lines = format!(
            "fleet=$(mktemp -d)\n\
             trap 'rm -rf \"$fleet\"' EXIT\n\
             cp -R . \"$fleet\"\n\
             chmod -R a+rX \"$fleet\"\n\
             set -- {mount} {container} -- {ENTRY} \"$@\"\n\
             for name in AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION AWS_EC2_METADATA_DISABLED; do\n\
             \x20   eval \"value=\\${{$name-}}\"\n\
             \x20   [ -z \"$value\" ] || set -- --env \"$name=$value\" \"$@\"\n\
             done\n\
             {} {BUILDAH} '{}' run --isolation chroot --volume \"$fleet:/fleet:ro\" \"$@\"",
            kept.join(" "),
            self.options().join("' '"),
        );
        smoke::script(scripts, &lines)
    }
}

/// The certificate authorities that Mozilla trusts, from a package in the lock file.
fn authorities() -> anyhow::Result<PathBuf> {
    let certifi = Command::new(python::program("python")?).args(["-m", "certifi"]).output()?;
    ensure!(certifi.status.success(), "certifi: {}", String::from_utf8_lossy(&certifi.stderr));
    Ok(PathBuf::from(String::from_utf8(certifi.stdout)?.trim()))
}

/// Compares an image with its expected contents. Returns its digest, for `docker pull`.
fn check(path: &Path, programs: &[(Target, PathBuf)]) -> anyhow::Result<String> {
    let (digest, images) = Image::read_all(path)?;
    let of = |target: &Target| target.architecture_of_image();
    let expected: Vec<_> = programs.iter().filter_map(|(target, _)| of(target)).collect();
    let mut found: Vec<_> = images.iter().map(|image| &*image.architecture).collect();
    found.sort_unstable();
    ensure!(found == expected, "the image is for {found:?}, expected {expected:?}");
    for (target, program) in programs {
        let image = images.iter().find(|image| of(target) == Some(&*image.architecture));
        let image = image.context("the image has no files for a platform")?;
        ensure!(image.user == USER, "the user of the image is `{}`", image.user);
        ensure!(image.entry == [ENTRY], "the entry point of the image is {:?}", image.entry);
        let names: Vec<_> = image.files.keys().map(String::as_str).collect();
        ensure!(names == FILES, "the image has the files {names:?}");
        ensure!(
            image.files["usr/local/bin/flowagg"] == fs::read(program)?,
            "the program in the image differs"
        );
        ensure!(
            image.files[AUTHORITIES] == fs::read(authorities()?)?,
            "the certificates in the image differ"
        );
        ensure!(image.files["etc/passwd"] == PASSWD.as_bytes(), "the users in the image differ");
    }
    Ok(digest)
}

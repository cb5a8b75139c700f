//! Reads a container image in the OCI format, to check its contents.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use flate2::read::GzDecoder;
use serde_json::Value;

use super::archive::sha256;

/// The image for one architecture.
pub(super) struct Image {
    pub(super) architecture: String,
    pub(super) user: String,
    pub(super) entry: Vec<String>,
    /// Regular files by path from the root.
    pub(super) files: BTreeMap<String, Vec<u8>>,
}

/// The folder of an image's blobs, which are named by their SHA-256.
struct Blobs(PathBuf);

impl Blobs {
    fn path(&self, of: &Value) -> anyhow::Result<PathBuf> {
        let digest = of["digest"].as_str().and_then(|digest| digest.strip_prefix("sha256:"));
        let digest = digest.with_context(|| format!("no SHA-256 digest in {of}"))?;
        let path = self.0.join(digest);
        ensure!(sha256(&path)? == digest, "the blob {digest} does not match its digest");
        Ok(path)
    }

    fn json(&self, of: &Value) -> anyhow::Result<Value> {
        Ok(serde_json::from_slice(&fs::read(self.path(of)?)?)?)
    }
}

impl Image {
    /// Reads a file with images for several architectures. Returns its digest and the images.
    ///
    /// Source: "Image Layout" and "Image Index" in the OCI image format specification.
    pub(super) fn read_all(archive: &Path) -> anyhow::Result<(String, Vec<Self>)> {
        let folder = tempfile::tempdir()?;
        tar::Archive::new(File::open(archive)?).unpack(folder.path())?;
        let blobs = Blobs(folder.path().join("blobs").join("sha256"));
        let index: Value = serde_json::from_slice(&fs::read(folder.path().join("index.json"))?)?;
        let [image] = index["manifests"].as_array().map_or(&[][..], Vec::as_slice) else {
            bail!("expected one image in the index: {index}");
        };
        let digest = image["digest"].as_str().context("an image without a digest")?.to_owned();
        let manifests = blobs.json(image)?;
        let manifests =
            manifests["manifests"].as_array().context("expected an index with several architectures")?;
        let images = manifests.iter().map(|manifest| Self::read(&blobs, manifest));
        Ok((digest, images.collect::<anyhow::Result<_>>()?))
    }

    fn read(blobs: &Blobs, manifest: &Value) -> anyhow::Result<Self> {
        let architecture = manifest["platform"]["architecture"].as_str().unwrap_or_default().to_owned();
        let manifest = blobs.json(manifest)?;
        let config = blobs.json(&manifest["config"])?;
        ensure!(config["architecture"] == architecture.as_str(), "{architecture}: its configuration differs");
        let config = &config["config"];
        let words = |value: &Value| {
            let words = value.as_array().map_or(&[][..], Vec::as_slice).iter();
            words.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let mut files = BTreeMap::new();
        for layer in manifest["layers"].as_array().context("an image without layers")? {
            let mut tar = tar::Archive::new(GzDecoder::new(File::open(blobs.path(layer)?)?));
            for entry in tar.entries()? {
                let mut entry = entry?;
                if entry.header().entry_type().is_dir() {
                    continue;
                }
                let path = entry.path()?.to_string_lossy().into_owned();
                ensure!(entry.header().entry_type().is_file(), "`{path}` is not a regular file");
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes)?;
                files.insert(path, bytes);
            }
        }
        let user = config["User"].as_str().unwrap_or_default().to_owned();
        Ok(Self { architecture, user, entry: words(&config["Entrypoint"]), files })
    }
}

//! The destination of a report.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use flowagg_core::id::BucketName;

/// A file, or an object in a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    File(PathBuf),
    Object { bucket: BucketName, key: String },
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some(rest) = text.strip_prefix("s3://") else {
            let is_url = text.contains("://") || text.to_ascii_lowercase().starts_with("s3:");
            return if is_url {
                Err("expected a file, or an object such as `s3://acme-reports/flowagg/report.html`"
                    .to_owned())
            } else {
                Ok(Self::File(text.into()))
            };
        };
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        let bucket: BucketName = bucket.parse().map_err(|error| format!("{error}"))?;
        if key.is_empty() || key.ends_with('/') {
            return Err(format!("expected an object such as `s3://{bucket}/flowagg/report.html`"));
        }
        Ok(Self::Object { bucket, key: key.to_owned() })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Object { bucket, key } => write!(f, "s3://{bucket}/{key}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s3_url_is_an_object_and_any_other_path_a_file() {
        let object =
            Target::Object { bucket: "acme-reports".parse().unwrap(), key: "a/report.html".to_owned() };
        assert_eq!("s3://acme-reports/a/report.html".parse(), Ok(object));
        assert_eq!("reports/a.html".parse(), Ok(Target::File("reports/a.html".into())));
        for text in [
            "s3://acme-reports",
            "s3://acme-reports/",
            "s3://acme-reports/a/",
            "s3://A/b",
            "s3:///b",
            "s3:/a/b",
            "S3://acme/b",
            "https://a/b",
        ] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }
}

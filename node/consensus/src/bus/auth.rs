//! Who may call: whoever knows the cluster's secret. It travels as metadata of
//! every call and is compared in constant time.

use std::fmt;

use subtle::ConstantTimeEq;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::{Request, Status};

const KEY: &str = "quoris-secret";

/// The secret that all nodes of a cluster share.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Letters, digits and punctuation of ASCII, at least one character; `None`
    /// for anything else.
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        let fits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then_some(Self(text))
    }

    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Puts the secret on every call.
#[derive(Clone)]
pub(crate) struct Credentials(Option<MetadataValue<Ascii>>);

impl Credentials {
    pub(crate) fn new(secret: Option<&Secret>) -> Self {
        Self(secret.map(|secret| {
            let mut value: MetadataValue<Ascii> =
                secret.0.parse().expect("a secret is graphic ASCII");
            value.set_sensitive(true);
            value
        }))
    }
}

impl Interceptor for Credentials {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(secret) = &self.0 {
            request.metadata_mut().insert(KEY, secret.clone());
        }
        Ok(request)
    }
}

/// Turns away whoever does not know the secret.
#[derive(Clone)]
pub(super) struct Gate(Option<Secret>);

impl Gate {
    pub(super) fn new(secret: Option<Secret>) -> Self {
        Self(secret)
    }
}

impl Interceptor for Gate {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let Some(expected) = &self.0 else {
            return Err(Status::unauthenticated(
                "this node has no cluster secret: it has no peers",
            ));
        };
        let Some(given) = request.metadata().get(KEY) else {
            return Err(Status::unauthenticated("the cluster secret is missing"));
        };
        if bool::from(given.as_bytes().ct_eq(expected.0.as_bytes())) {
            return Ok(request);
        }
        Err(Status::unauthenticated("the cluster secret is wrong"))
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    #[test]
    fn only_the_right_secret_passes() {
        let secret = |text: &str| Secret::new(text);
        let table = [
            (secret("abc"), secret("abc"), true),
            (secret("abc"), secret("abd"), false),
            (secret("abc"), secret("abcd"), false),
            (secret("abc"), None, false),
            (None, secret("abc"), false),
            (None, None, false),
        ];
        for (ours, theirs, passes) in table {
            let request = Credentials::new(theirs.as_ref()).call(Request::new(())).unwrap();
            let result = Gate::new(ours.clone()).call(request);
            assert_eq!(result.is_ok(), passes, "{ours:?} {theirs:?}");
            if let Err(status) = result {
                assert_eq!(status.code(), Code::Unauthenticated);
            }
        }
    }

    #[test]
    fn a_secret_is_graphic_ascii_and_is_not_printed() {
        for bad in ["", "a b", "a\n", "ä"] {
            assert!(Secret::new(bad).is_none(), "{bad:?}");
        }
        assert!(!format!("{:?}", Secret::new("hunter2")).contains("hunter2"));
    }
}

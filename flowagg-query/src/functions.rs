//! SQL functions for addresses and networks, which the table stores as text.

use std::net::IpAddr;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, BooleanArray, StringViewArray};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    AggregateUDF, ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::prelude::SessionContext;

use crate::sum::CheckedSum;

/// Registers the functions in a session.
pub(crate) fn register(session: &SessionContext) {
    session.register_udf(ScalarUDF::from(CidrContains::new()));
    session.register_udf(ScalarUDF::from(CidrNetwork::new()));
    session.register_udaf(AggregateUDF::from(CheckedSum::new()));
}

/// A network: an address and its prefix length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    bits: u128,
    length: u32,
    width: u32,
}

impl Network {
    /// Parses `10.0.0.0/8` or `2001:db8::/32`; an address without a length is a network of one address.
    fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u32>().ok()?)),
            None => (text, None),
        };
        let (bits, width) = bits(address)?;
        let length = length.unwrap_or(width);
        let by = width.checked_sub(length)?;
        Some(Self { bits: shifted(bits, by), length, width })
    }

    fn contains(self, address: &str) -> Option<bool> {
        let (bits, width) = bits(address)?;
        Some(width == self.width && shifted(bits, width - self.length) == self.bits)
    }
}

/// The bits of an address, and their number.
fn bits(address: &str) -> Option<(u128, u32)> {
    Some(match address.parse().ok()? {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    })
}

fn shifted(bits: u128, by: u32) -> u128 {
    bits.checked_shr(by).unwrap_or_default()
}

/// `cidr_contains(network, address)`.
#[derive(Debug, PartialEq, Eq, Hash)]
struct CidrContains(Signature);

impl CidrContains {
    fn new() -> Self {
        let texts = vec![DataType::Utf8View, DataType::Utf8View];
        Self(Signature::exact(texts, Volatility::Immutable))
    }
}

impl ScalarUDFImpl for CidrContains {
    fn name(&self) -> &'static str {
        "cidr_contains"
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (networks, addresses) = two(args)?;
        let (networks, addresses) = (networks.as_string_view(), addresses.as_string_view());
        let mut last: Option<(&str, Network)> = None;
        let mut found = Vec::with_capacity(addresses.len());
        for (network, address) in networks.iter().zip(addresses) {
            let (Some(text), Some(address)) = (network, address) else {
                found.push(None);
                continue;
            };
            let network = match last {
                Some((known, network)) if known == text => network,
                _ => Network::parse(text).ok_or_else(|| {
                    DataFusionError::Execution(format!("`{text}` is not a network such as `10.0.0.0/8`"))
                })?,
            };
            last = Some((text, network));
            found.push(network.contains(address));
        }
        Ok(ColumnarValue::Array(Arc::new(BooleanArray::from(found))))
    }
}

/// `cidr_network(address, length)`.
#[derive(Debug, PartialEq, Eq, Hash)]
struct CidrNetwork(Signature);

impl CidrNetwork {
    fn new() -> Self {
        let kinds = vec![DataType::Utf8View, DataType::Int64];
        Self(Signature::exact(kinds, Volatility::Immutable))
    }
}

impl ScalarUDFImpl for CidrNetwork {
    fn name(&self) -> &'static str {
        "cidr_network"
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (addresses, lengths) = two(args)?;
        let (addresses, lengths) = (addresses.as_string_view(), lengths.as_primitive::<Int64Type>());
        let networks: StringViewArray =
            addresses.iter().zip(lengths).map(|(address, length)| network(address?, length?)).collect();
        Ok(ColumnarValue::Array(Arc::new(networks)))
    }
}

/// The network with this prefix length that contains an address; `None` if the address has fewer bits.
fn network(address: &str, length: i64) -> Option<String> {
    let (bits, width) = bits(address)?;
    let length = u32::try_from(length).ok().filter(|length| *length <= width)?;
    let by = width - length;
    let bits = shifted(bits, by).checked_shl(by).unwrap_or_default();
    let address = match u32::try_from(bits) {
        Ok(bits) if width == 32 => IpAddr::from(bits.to_be_bytes()),
        _ => IpAddr::from(bits.to_be_bytes()),
    };
    Some(format!("{address}/{length}"))
}

/// Evaluates two arguments as arrays.
fn two(args: ScalarFunctionArgs) -> Result<(ArrayRef, ArrayRef)> {
    let [first, second]: [ArrayRef; 2] = ColumnarValue::values_to_arrays(&args.args)?
        .try_into()
        .map_err(|_| DataFusionError::Internal("expected two arguments".to_owned()))?;
    Ok((first, second))
}

use std::collections::BTreeSet;
use std::pin::pin;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{AvailabilityMode, NatGateway};
use flowagg_core::failure::Failure;
use flowagg_core::id::{Place, ResourceId};
use flowagg_core::question::Gateway;
use futures::StreamExt;

use super::{ITEMS_OF_A_PAGE, of_lookup};
use crate::Progress;
use crate::aws::Accounts;
use crate::aws::call::DESCRIBE_NAT_GATEWAYS;
use crate::aws::complete::{Incomplete, each_page};
use crate::aws::failure::At;
use crate::aws::tasks::spread;

/// NAT gateways and their identifiers in records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gateways {
    /// The number of NAT gateways.
    pub(crate) count: usize,
    /// The identifiers that records contain.
    pub(crate) named: BTreeSet<Gateway>,
    /// Failures of account-regions whose gateways could not be listed.
    pub(crate) failures: Vec<Failure>,
}

/// Looks up the NAT gateways of these account-regions. EC2 lists deleted ones for about an hour.
pub(crate) async fn gateways(
    accounts: &Accounts,
    places: BTreeSet<Place>,
    progress: &dyn Progress,
) -> Gateways {
    let total = places.len();
    let looking = places.into_iter().filter_map(|place| {
        let account = accounts.member(place.account)?.ok()?.clone();
        Some(async move {
            let found = of_client(&account.ec2(&place.region), &At::new(place.clone())).await;
            (place, found)
        })
    });
    let looking = looking.collect::<Vec<_>>();
    let mut looking = pin!(spread(looking));
    let mut all = Gateways::default();
    let mut done = 0;
    while let Some((place, found)) = looking.next().await {
        done += 1;
        progress.step("NAT gateways", done, total, &place.to_string());
        match found {
            Ok(found) => {
                all.count += found.count;
                all.named.extend(found.named);
            }
            Err(failure) => all.failures.push(of_lookup(DESCRIBE_NAT_GATEWAYS, failure)),
        }
    }
    all.failures.sort();
    all
}

/// Lists gateways in every state: failed and deleted ones may have records.
async fn of_client(ec2: &Client, at: &At) -> Result<Gateways, Failure> {
    let mut found = Gateways::default();
    let mut ids = BTreeSet::new();
    let request = ec2.describe_nat_gateways().max_results(ITEMS_OF_A_PAGE);
    each_page!(request, nat_gateways, at, DESCRIBE_NAT_GATEWAYS, |gateway| read(gateway).map(
        |(id, named)| {
            ids.insert(id);
            found.named.extend(named);
        }
    ));
    found.count = ids.len();
    Ok(found)
}

/// The ID of a gateway and its identifiers in records: network interfaces and addresses for a zonal gateway, the ID for a regional one.
fn read(gateway: &NatGateway) -> Result<(String, Vec<Gateway>), Incomplete> {
    let id = gateway.nat_gateway_id().ok_or(Incomplete::Missing("the ID of a NAT gateway"))?;
    let unknown = |id: &str| Incomplete::UnknownId(id.to_owned());
    let mut named = Vec::new();
    for address in gateway.nat_gateway_addresses() {
        if let Some(interface) = address.network_interface_id() {
            named.push(Gateway::Interface(ResourceId::parse(interface).map_err(|_| unknown(interface))?));
        }
        if let Some(address) = address.private_ip() {
            named.push(Gateway::Listed(address.parse().map_err(|_| unknown(address))?));
        }
    }
    let is_regional = gateway.availability_mode() == Some(&AvailabilityMode::Regional);
    if is_regional || !named.iter().any(|gateway| matches!(gateway, Gateway::Interface(_))) {
        match id.parse() {
            Ok(regional @ Gateway::Regional(_)) => named.push(regional),
            _ => return Err(unknown(id)),
        }
    }
    Ok((id.to_owned(), named))
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::error::ErrorMetadata;
    use aws_sdk_ec2::operation::describe_nat_gateways::{
        DescribeNatGatewaysError, DescribeNatGatewaysOutput,
    };
    use aws_sdk_ec2::types::NatGatewayAddress;
    use aws_smithy_mocks::mock;

    use super::*;
    use crate::aws::mocked;

    fn zonal(id: &str, interface: &str, address: &str) -> NatGateway {
        let address = NatGatewayAddress::builder().network_interface_id(interface).private_ip(address);
        NatGateway::builder().nat_gateway_id(id).nat_gateway_addresses(address.build()).build()
    }

    #[tokio::test]
    async fn zonal_gateways_have_interface_and_address_and_regional_ones_their_id() {
        let regional = NatGateway::builder()
            .nat_gateway_id("nat-0bbbbbbbbbbbbbbbb")
            .availability_mode(AvailabilityMode::Regional)
            .nat_gateway_addresses(NatGatewayAddress::builder().public_ip("203.0.113.9").build());
        let pages = [
            (zonal("nat-0aaaaaaaaaaaaaaaa", "eni-0a1b2c3d", "10.0.0.220"), Some("next")),
            (regional.build(), None),
        ];
        let rule = mock!(Client::describe_nat_gateways).then_compute_output(move |request| {
            assert_eq!(request.max_results(), Some(1000));
            let (gateway, next) = pages[usize::from(request.next_token().is_some())].clone();
            let page = DescribeNatGatewaysOutput::builder().nat_gateways(gateway);
            page.set_next_token(next.map(str::to_owned)).build()
        });
        let found = of_client(&mocked::ec2(&[&rule]), &At::new(mocked::place())).await.unwrap();
        let expected = ["eni-0a1b2c3d", "nat-0bbbbbbbbbbbbbbbb"].map(|text| text.parse().unwrap());
        let listed = Gateway::Listed("10.0.0.220".parse().unwrap());
        assert_eq!(found.named, expected.into_iter().chain([listed]).collect());
        assert_eq!(found.count, 2);
    }

    #[tokio::test]
    async fn denied_call_and_invalid_id_are_failures() {
        let denied = mock!(Client::describe_nat_gateways).then_error(|| {
            DescribeNatGatewaysError::generic(ErrorMetadata::builder().code("UnauthorizedOperation").build())
        });
        let at = At::new(mocked::place());
        let failure = of_client(&mocked::ec2(&[&denied]), &at).await.unwrap_err();
        assert_eq!((failure.place, failure.call.as_str()), (mocked::place(), "DescribeNatGateways"));
        assert_eq!(failure.code.as_deref(), Some("UnauthorizedOperation"));

        let unknown = mock!(Client::describe_nat_gateways).then_output(|| {
            DescribeNatGatewaysOutput::builder().nat_gateways(zonal("nat-1", "eni-x", "10.0.0.1")).build()
        });
        let failure = of_client(&mocked::ec2(&[&unknown]), &at).await.unwrap_err();
        assert_eq!(failure.message, "the response contains the ID `eni-x`, which has an unknown format");
    }
}

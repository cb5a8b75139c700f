//! Decides which columns of a result get an additional column with names, by the name of the column only.

/// The kind of values of a column that can have names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedColumn {
    /// Account IDs.
    Account,
    /// IDs of resources in the account-region of the record: network interfaces, instances, VPCs, subnets or NAT gateways.
    Resource,
    /// IDs of resources that may be in any account.
    ResourceElsewhere,
    /// Addresses, which may be in any account.
    Address,
}

/// The names of columns in the table and in the questions.
const COLUMNS: [(NamedColumn, &[&str]); 4] = [
    (
        NamedColumn::Account,
        &[
            "account",
            "other_account",
            "log_account",
            "account_id",
            "tgw_src_vpc_account_id",
            "tgw_dst_vpc_account_id",
        ],
    ),
    (
        NamedColumn::Resource,
        &[
            "interface_id",
            "instance_id",
            "vpc_id",
            "subnet_id",
            "resource_id",
            "gateway",
            "instance",
            "subnet",
        ],
    ),
    (
        NamedColumn::ResourceElsewhere,
        &[
            "vpc",
            "other_vpc",
            "next_hop_interface_id",
            "next_hop_subnet_id",
            "next_hop_vpc_id",
            "tgw_src_vpc_id",
            "tgw_dst_vpc_id",
            "tgw_src_subnet_id",
            "tgw_dst_subnet_id",
            "tgw_src_eni",
            "tgw_dst_eni",
        ],
    ),
    (
        NamedColumn::Address,
        &["srcaddr", "dstaddr", "pkt_srcaddr", "pkt_dstaddr", "source", "destination", "address"],
    ),
];

/// The kind of values of a column with this name; `None` if they have no names.
pub fn named_column(name: &str) -> Option<NamedColumn> {
    COLUMNS.into_iter().find_map(|(kind, names)| names.contains(&name).then_some(kind))
}

/// The name of the additional column.
pub fn name_column(name: &str) -> String {
    format!("{name}_name")
}

/// Whether a column contains the account that recorded the row.
pub fn is_account_of_record(name: &str) -> bool {
    matches!(name, "account" | "log_account")
}

/// Whether a column contains the region that recorded the row.
pub fn is_region_of_record(name: &str) -> bool {
    matches!(name, "log_region")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow_log::RecordedField;

    #[test]
    fn id_and_address_columns_have_names() {
        let unnamed: Vec<String> = RecordedField::all()
            .map(|field| field.column())
            .filter(|column| named_column(column).is_none())
            .filter(|column| ["addr", "_id", "eni", "account"].iter().any(|part| column.contains(part)))
            .collect();
        assert_eq!(
            unnamed,
            [
                "az_id",
                "sublocation_id",
                "ecs_container_instance_id",
                "ecs_container_id",
                "ecs_second_container_id",
                "ecs_task_id",
                "next_hop_az_id",
                "tgw_id",
                "tgw_attachment_id",
                "tgw_src_az_id",
                "tgw_dst_az_id",
                "tgw_pair_attachment_id",
            ]
        );
    }

    #[test]
    fn columns_are_recognized_by_name() {
        assert_eq!(named_column("source"), Some(NamedColumn::Address));
        assert_eq!(named_column("other_account"), Some(NamedColumn::Account));
        assert_eq!(named_column("gateway"), Some(NamedColumn::Resource));
        assert_eq!(named_column("other_vpc"), Some(NamedColumn::ResourceElsewhere));
        for name in ["Source", "service", "bytes", "region", "source_name", ""] {
            assert_eq!(named_column(name), None, "{name}");
        }
        assert_eq!(name_column("source"), "source_name");
    }
}

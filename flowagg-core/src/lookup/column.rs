//! Which columns of a result get a column with names. It depends on what a column is called and on nothing else.

/// What the values of a column are, if they can have names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedColumn {
    /// Accounts.
    Account,
    /// Ids of what the account and the region of the record have: network interfaces, instances, VPCs, subnets or NAT gateways.
    Resource,
    /// Ids of what may be in any account.
    ResourceElsewhere,
    /// Addresses, which may be in any account.
    Address,
}

/// What the columns of the table and of the questions are called.
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

/// What the values of a column of this name are; `None` if they have no names.
pub fn named_column(name: &str) -> Option<NamedColumn> {
    COLUMNS.into_iter().find_map(|(kind, names)| names.contains(&name).then_some(kind))
}

/// The column with the names of a column.
pub fn name_column(name: &str) -> String {
    format!("{name}_name")
}

/// Whether a column has the account that recorded what is in the row.
pub fn is_account_of_record(name: &str) -> bool {
    matches!(name, "account" | "log_account")
}

/// Whether a column has the region that recorded what is in the row.
pub fn is_region_of_record(name: &str) -> bool {
    matches!(name, "log_region")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow_log::RecordedField;

    #[test]
    fn columns_of_the_table_with_ids_and_addresses_have_names_and_no_others() {
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
    fn columns_of_questions_are_known_by_their_name_alone() {
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

//! The hosts of the company, and their traffic.

#[derive(Debug)]
pub(super) struct Interface {
    pub(super) account: &'static str,
    pub(super) vpc: &'static str,
    pub(super) zone: &'static str,
    pub(super) subnet: &'static str,
    pub(super) id: &'static str,
    pub(super) address: &'static str,
    /// `-` unless it belongs to an instance.
    pub(super) instance: &'static str,
    /// Value of `interface-type`.
    pub(super) kind: &'static str,
    /// Amazon ECS service; `-` if there is none.
    pub(super) service: &'static str,
    /// The NAT gateway to the internet; `None` for interfaces with a public address.
    pub(super) gateway: Option<&'static Interface>,
}

/// The `interface-type` of a NAT gateway.
pub(super) const GATEWAY: &str = "nat_gateway";

const PAYMENTS: &str = "222222222222";
const SHOP: &str = "333333333333";
const DATA: &str = "444444444444";

pub(super) fn flow_log(account: &str) -> &'static str {
    match account {
        PAYMENTS => "fl-0222222222222222a",
        SHOP => "fl-0333333333333333a",
        _ => "fl-0444444444444444a",
    }
}

const fn of_shop(zone: &'static str, subnet: &'static str) -> Interface {
    Interface {
        account: SHOP,
        vpc: "vpc-0333333333333333a",
        zone,
        subnet,
        id: "",
        address: "",
        instance: "-",
        kind: "-",
        service: "-",
        gateway: None,
    }
}

static SHOP_NAT: Interface = Interface {
    id: "eni-0333333333333000f",
    address: "10.1.0.5",
    kind: GATEWAY,
    ..of_shop("euw1-az1", "subnet-0333333333333333a")
};
static WEB_1: Interface = Interface {
    id: "eni-0333333333333001a",
    address: "10.1.0.10",
    instance: "i-0333333333333001a",
    ..of_shop("euw1-az1", "subnet-0333333333333333a")
};
static WEB_2: Interface = Interface {
    id: "eni-0333333333333001b",
    address: "10.1.1.11",
    instance: "i-0333333333333001b",
    ..of_shop("euw1-az2", "subnet-0333333333333333b")
};
static APP_1: Interface = Interface {
    id: "eni-0333333333333002a",
    address: "10.1.2.20",
    instance: "i-0333333333333002a",
    service: "orders",
    gateway: Some(&SHOP_NAT),
    ..of_shop("euw1-az1", "subnet-0333333333333333c")
};
static APP_2: Interface = Interface {
    id: "eni-0333333333333002b",
    address: "10.1.3.21",
    instance: "i-0333333333333002b",
    service: "orders",
    gateway: Some(&SHOP_NAT),
    ..of_shop("euw1-az2", "subnet-0333333333333333d")
};

const fn of_payments(id: &'static str, address: &'static str, instance: &'static str) -> Interface {
    Interface {
        account: PAYMENTS,
        vpc: "vpc-0222222222222222a",
        zone: "euw1-az1",
        subnet: "subnet-0222222222222222a",
        id,
        address,
        instance,
        kind: "-",
        service: "-",
        gateway: None,
    }
}

static BASTION: Interface = of_payments("eni-0222222222222001a", "10.2.0.9", "i-0222222222222001a");
static DATABASE: Interface = of_payments("eni-0222222222222002a", "10.2.0.30", "i-0222222222222002a");

const fn of_data(id: &'static str, address: &'static str, instance: &'static str) -> Interface {
    Interface {
        account: DATA,
        vpc: "vpc-0444444444444444a",
        zone: "euw1-az3",
        subnet: "subnet-0444444444444444a",
        id,
        address,
        instance,
        kind: "-",
        service: "-",
        gateway: None,
    }
}

static DATA_NAT: Interface = Interface { kind: GATEWAY, ..of_data("eni-0444444444444000f", "10.3.0.5", "-") };
static ETL: Interface = Interface {
    gateway: Some(&DATA_NAT),
    ..of_data("eni-0444444444444001a", "10.3.0.40", "i-0444444444444001a")
};

#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    Own(&'static Interface),
    Internet(&'static str),
}

impl End {
    pub(super) fn address(self) -> &'static str {
        match self {
            Self::Own(interface) => interface.address,
            Self::Internet(address) => address,
        }
    }

    pub(super) fn interface(self) -> Option<&'static Interface> {
        match self {
            Self::Own(interface) => Some(interface),
            Self::Internet(_) => None,
        }
    }
}

const S3: &str = "52.218.0.17";
const PARTNER: &str = "198.51.100.20";
const CUSTOMERS: [&str; 3] = ["203.0.113.10", "203.0.113.11", "203.0.113.12"];
/// The attacker, who first scans the hosts.
const STRANGER: &str = "198.51.100.77";
/// Where the attacker sends the data.
const DROP: &str = "203.0.113.66";

/// The AWS service of a public address; `-` if there is none.
pub(super) fn service_of(address: &str) -> &'static str {
    if address == S3 { "S3" } else { "-" }
}

/// Requests and their responses in one hour.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    /// Hours since the first midnight.
    pub(super) hour: i64,
    /// Minutes of that hour.
    pub(super) minute: i64,
    pub(super) client: End,
    pub(super) server: End,
    /// Ports of the client and of the server.
    pub(super) ports: [u16; 2],
    /// Bytes from the client to the server, and back. 0 bytes are not recorded.
    pub(super) bytes: [i64; 2],
    pub(super) is_rejected: bool,
    /// Whether it uses a gateway endpoint instead of the NAT gateway.
    pub(super) by_endpoint: bool,
    /// Whether AWS reports it as encrypted.
    pub(super) is_encrypted: bool,
}

/// The hours of both days.
pub(super) const HOURS: i64 = 48;
const MB: i64 = 1_000_000;

/// All flows of the two days.
pub(super) fn flows() -> Vec<Flow> {
    let mut flows: Vec<Flow> = (0..HOURS).flat_map(usual).collect();
    flows.extend(incident());
    flows
}

fn flow(hour: i64, client: End, server: End, port: u16, bytes: [i64; 2]) -> Flow {
    let from = 40_000 + u16::try_from(hour % 24).unwrap_or(0) * 10 + port % 10;
    Flow {
        hour,
        minute: 5,
        client,
        server,
        ports: [from, port],
        bytes,
        is_rejected: false,
        by_endpoint: false,
        is_encrypted: true,
    }
}

/// The flows of every hour, with more traffic during the day.
fn usual(hour: i64) -> Vec<Flow> {
    use End::{Internet, Own};
    let load = if (7..19).contains(&(hour % 24)) { 3 } else { 1 };
    let mut flows = Vec::new();
    for (customer, web) in CUSTOMERS.into_iter().zip([&WEB_1, &WEB_2, &WEB_1]) {
        flows.push(flow(hour, Internet(customer), Own(web), 443, [load * 4 * MB, load * 60 * MB]));
    }
    // Each web server calls the applications in both zones equally often.
    for (web, app) in [(&WEB_1, &APP_1), (&WEB_1, &APP_2), (&WEB_2, &APP_1), (&WEB_2, &APP_2)] {
        flows.push(flow(hour, Own(web), Own(app), 8080, [load * 30 * MB, load * 110 * MB]));
    }
    for app in [&APP_1, &APP_2] {
        let queries = flow(hour, Own(app), Own(&DATABASE), 5432, [load * 5 * MB, load * 45 * MB]);
        flows.push(Flow { is_encrypted: false, ..queries });
        // The gateway endpoint exists from the second day.
        let images = flow(hour, Own(app), Internet(S3), 443, [load * 12 * MB, load * 1_400 * MB]);
        flows.push(Flow { by_endpoint: hour >= 24, ..images });
    }
    flows.push(flow(hour, Own(&APP_1), Internet(PARTNER), 443, [load * 3 * MB, load * 9 * MB]));
    flows.push(flow(hour, Own(&ETL), Internet(S3), 443, [160 * MB, 600 * MB]));
    flows
}

/// The attack in the second night.
fn incident() -> Vec<Flow> {
    use End::{Internet, Own};
    const NIGHT: i64 = 24 + 3;
    let mut flows = Vec::new();
    // A scan of every host with a public address.
    for target in [&WEB_1, &WEB_2, &BASTION] {
        for port in 1..=120 {
            let probe = flow(NIGHT, Internet(STRANGER), Own(target), port, [40, 0]);
            flows.push(Flow { minute: 2, ports: [51_000, port], is_rejected: true, ..probe });
        }
    }
    let more = [
        (12, Internet(STRANGER), Own(&BASTION), 22, [9 * MB, 14 * MB]),
        (20, Own(&BASTION), Own(&DATABASE), 5432, [MB, 3_100 * MB]),
        (40, Own(&BASTION), Internet(DROP), 443, [2_900 * MB, 6 * MB]),
    ];
    flows.extend(more.map(|(minute, client, server, port, bytes)| Flow {
        minute,
        ..flow(NIGHT, client, server, port, bytes)
    }));
    // The attacker also tries the application.
    let other = flow(NIGHT, Own(&BASTION), Own(&APP_1), 22, [60, 0]);
    flows.push(Flow { minute: 25, is_rejected: true, ..other });
    flows
}

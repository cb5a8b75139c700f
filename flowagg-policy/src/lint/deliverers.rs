//! Services and AWS accounts that deliver other logs and reports to S3. Their grants look like grants for flow logs and
//! are often in the same bucket, but advice for flow logs would break them.

use flowagg_core::id::Region;

use super::subject::{Condition, Statement};

/// The services for which AWS documents a bucket policy, and the data that they deliver.
///
/// `s3.amazonaws.com` (inventories) and `logs.<region>.amazonaws.com` (exports of log groups) are left out: in a
/// statement for an `AWSLogs` folder, they are mistakes for `delivery.logs.amazonaws.com`.
const SERVICES: [(&str, &str); 17] = [
    // "Setting up an Amazon S3 bucket for data exports" (AWS Data Exports User Guide)
    ("bcm-data-exports", "cost and usage data"),
    // "Monitor model invocation using CloudWatch Logs and Amazon S3" (Amazon Bedrock User Guide)
    ("bedrock", "model invocation logs"),
    // "Setting up an Amazon S3 bucket for Cost and Usage Reports" (AWS Cost and Usage Reports User Guide)
    ("billingreports", "cost and usage reports"),
    // "Restrict access to an Amazon S3 origin" (Amazon CloudFront Developer Guide)
    ("cloudfront", "content of CloudFront distributions"),
    // "Amazon S3 bucket policy for CloudTrail" (AWS CloudTrail User Guide)
    ("cloudtrail", "CloudTrail logs"),
    // "Permissions for the Amazon S3 Bucket for the AWS Config Delivery Channel" (AWS Config Developer Guide)
    ("config", "AWS Config data"),
    // Used in published policies instead of `logdelivery.elasticloadbalancing`.
    ("elasticloadbalancing", "load balancer logs"),
    // "Exporting generated findings to Amazon S3" (Amazon GuardDuty User Guide)
    ("guardduty", "GuardDuty findings"),
    // "Exporting Amazon Inspector findings reports" (Amazon Inspector User Guide)
    ("inspector2", "Inspector reports"),
    // "Enable access logs for your Application Load Balancer" (User Guide for Application Load Balancers)
    ("logdelivery.elasticloadbalancing", "load balancer logs"),
    // The same page, Outposts Zones
    ("logdelivery.elb", "load balancer logs"),
    // "Enabling Amazon S3 server access logging" (Amazon S3 User Guide)
    ("logging.s3", "S3 server access logs"),
    // "Storing and retaining sensitive data discovery results" (Amazon Macie User Guide)
    ("macie", "Macie discovery results"),
    // "Database audit logging" (Amazon Redshift Management Guide)
    ("redshift", "Redshift audit logs"),
    // "Give permissions to Amazon SES for email receiving" (Amazon SES Developer Guide)
    ("ses", "incoming mail"),
    // "Create a resource data sync for Inventory" (AWS Systems Manager User Guide)
    ("ssm", "Systems Manager inventory"),
    // "Setting Amazon S3 Storage Lens permissions" (Amazon S3 User Guide)
    ("storage-lens.s3", "Storage Lens metrics"),
];

/// The Elastic Load Balancing accounts by region. Regions that opened in August 2022 or later have none.
///
/// Source: "Enable access logs for your Application Load Balancer" (User Guide for Application Load Balancers).
const LOAD_BALANCING_ACCOUNTS: [(&str, &str); 26] = [
    ("af-south-1", "098369216593"),
    ("ap-east-1", "754344448648"),
    ("ap-northeast-1", "582318560864"),
    ("ap-northeast-2", "600734575887"),
    ("ap-northeast-3", "383597477331"),
    ("ap-south-1", "718504428378"),
    ("ap-southeast-1", "114774131450"),
    ("ap-southeast-2", "783225319266"),
    ("ap-southeast-3", "589379963580"),
    ("ca-central-1", "985666609251"),
    ("cn-north-1", "638102146993"),
    ("cn-northwest-1", "037604701340"),
    ("eu-central-1", "054676820928"),
    ("eu-north-1", "897822967062"),
    ("eu-south-1", "635631232127"),
    ("eu-west-1", "156460612806"),
    ("eu-west-2", "652711504416"),
    ("eu-west-3", "009996457667"),
    ("me-south-1", "076674570225"),
    ("sa-east-1", "507241528517"),
    ("us-east-1", "127311923021"),
    ("us-east-2", "033677994240"),
    ("us-gov-east-1", "190560391635"),
    ("us-gov-west-1", "048591011584"),
    ("us-west-1", "027434742980"),
    ("us-west-2", "797873946194"),
];

/// Returns the data that a service of the table delivers, including services with a regional or China name.
pub(super) fn of_service(principal: &str) -> Option<&'static str> {
    let name = principal.strip_suffix(".cn").unwrap_or(principal).strip_suffix(".amazonaws.com")?;
    let name = match name.rsplit_once('.') {
        Some((name, region)) if Region::parse(region).is_ok() => name,
        _ => name,
    };
    SERVICES.iter().find(|(known, _)| *known == name).map(|(_, what)| *what)
}

/// Returns the data that an AWS account delivers, given its ID or the ARN of its root user.
pub(super) fn of_account(principal: &str) -> Option<&'static str> {
    let id = match principal.strip_prefix("arn:") {
        Some(arn) => arn.split(':').nth(3).filter(|_| arn.ends_with(":root"))?,
        None => principal,
    };
    LOAD_BALANCING_ACCOUNTS.iter().any(|(_, known)| *known == id).then_some("load balancer logs")
}

impl Statement<'_> {
    /// The delivered data if every principal of the statement delivers something other than flow logs.
    pub(super) fn other_logs(&self) -> Option<&'static str> {
        let of = |(kind, item): &(&str, super::subject::Item<'_>)| match *kind {
            "Service" => of_service(item.text),
            "AWS" => of_account(item.text),
            _ => None,
        };
        let what: Option<Vec<_>> = self.principals.iter().map(of).collect();
        what?.first().copied()
    }

    /// Whether the statement is only for delivery sources of CloudWatch Logs. Flow logs do not use delivery sources.
    ///
    /// Source: "Logging that requires additional permissions [V2]" (Amazon CloudWatch Logs User Guide).
    pub(super) fn is_for_delivery_sources(&self) -> bool {
        let mut arns = self.on("aws:sourcearn").filter(|condition| condition.is_positive()).peekable();
        let of_source =
            |arn: &str| arn.splitn(6, ':').nth(5).is_some_and(|rest| rest.starts_with("delivery-source:"));
        let only = |condition: &Condition<'_>| condition.values.iter().all(|value| of_source(value.text));
        self.names_delivery() && arns.peek().is_some() && arns.all(only)
    }
}

#[cfg(test)]
mod tests {
    use flowagg_core::id::AccountId;

    use super::*;

    #[test]
    fn regional_and_china_service_names_are_known() {
        for name in
            ["guardduty.amazonaws.com", "guardduty.me-south-1.amazonaws.com", "redshift.amazonaws.com.cn"]
        {
            assert!(of_service(name).is_some(), "{name}");
        }
        for name in [
            "delivery.logs.amazonaws.com",
            "logs.us-east-1.amazonaws.com",
            "s3.amazonaws.com",
            "ec2.amazonaws.com",
        ] {
            assert_eq!(of_service(name), None, "{name}");
        }
    }

    #[test]
    fn load_balancing_accounts_are_known_by_id_and_arn() {
        for principal in
            ["156460612806", "arn:aws:iam::156460612806:root", "arn:aws-cn:iam::638102146993:root"]
        {
            assert_eq!(of_account(principal), Some("load balancer logs"), "{principal}");
        }
        for principal in
            ["111122223333", "arn:aws:iam::156460612806:role/x", "arn:aws:iam::111122223333:root"]
        {
            assert_eq!(of_account(principal), None, "{principal}");
        }
        for (region, id) in LOAD_BALANCING_ACCOUNTS {
            assert!(Region::parse(region).is_ok() && AccountId::parse(id).is_ok(), "{region} {id}");
        }
    }
}

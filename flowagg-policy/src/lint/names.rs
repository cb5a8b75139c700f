//! The names that a bucket policy may use: S3 actions and condition keys, separated by spaces. Data only.
//!
//! Source: "Actions, resources, and condition keys for Amazon S3" (Service Authorization Reference) and "AWS global
//! condition context keys" (IAM User Guide).

/// Actions on objects, without `s3:` and in lower case.
pub(super) const OBJECT_ACTIONS: &str = "\
    abortmultipartupload bypassgovernanceretention deleteobject deleteobjecttagging deleteobjectversion \
    deleteobjectversiontagging getobject getobjectacl getobjectattributes getobjectlegalhold \
    getobjectretention getobjecttagging getobjecttorrent getobjectversion getobjectversionacl \
    getobjectversionattributes getobjectversionforreplication getobjectversiontagging \
    getobjectversiontorrent initiatereplication listmultipartuploadparts \
    objectowneroverridetobucketowner putobject putobjectacl putobjectlegalhold putobjectretention \
    putobjecttagging putobjectversionacl putobjectversiontagging replicatedelete replicateobject \
    replicatetags restoreobject updateobjectencryption";

/// Actions on buckets, without `s3:` and in lower case.
pub(super) const BUCKET_ACTIONS: &str = "\
    createbucket createbucketmetadatatableconfiguration deletebucket \
    deletebucketmetadatatableconfiguration deletebucketpolicy deletebucketwebsite \
    getaccelerateconfiguration getanalyticsconfiguration getbucketabac getbucketacl getbucketcors \
    getbucketlocation getbucketlogging getbucketmetadatatableconfiguration getbucketnotification \
    getbucketobjectlockconfiguration getbucketownershipcontrols getbucketpolicy getbucketpolicystatus \
    getbucketpublicaccessblock getbucketrequestpayment getbuckettagging getbucketversioning \
    getbucketwebsite getencryptionconfiguration getintelligenttieringconfiguration \
    getinventoryconfiguration getlifecycleconfiguration getmetricsconfiguration \
    getreplicationconfiguration listbucket listbucketmultipartuploads listbucketversions \
    listtagsforresource pausereplication putaccelerateconfiguration putanalyticsconfiguration \
    putbucketabac putbucketacl putbucketcors putbucketlogging putbucketnotification \
    putbucketobjectlockconfiguration putbucketownershipcontrols putbucketpolicy \
    putbucketpublicaccessblock putbucketrequestpayment putbuckettagging putbucketversioning \
    putbucketwebsite putencryptionconfiguration putintelligenttieringconfiguration \
    putinventoryconfiguration putlifecycleconfiguration putmetricsconfiguration \
    putreplicationconfiguration tagresource untagresource \
    updatebucketmetadatainventorytableconfiguration updatebucketmetadatajournaltableconfiguration";

/// Actions on access points, jobs and accounts, without `s3:` and in lower case.
pub(super) const OTHER_ACTIONS: &str = "\
    associateaccessgrantsidentitycenter createaccessgrant createaccessgrantsinstance \
    createaccessgrantslocation createaccesspoint createaccesspointforobjectlambda createjob \
    createmultiregionaccesspoint createstoragelensgroup deleteaccessgrant deleteaccessgrantsinstance \
    deleteaccessgrantsinstanceresourcepolicy deleteaccessgrantslocation deleteaccesspoint \
    deleteaccesspointforobjectlambda deleteaccesspointpolicy deleteaccesspointpolicyforobjectlambda \
    deletejobtagging deletemultiregionaccesspoint deletestoragelensconfiguration \
    deletestoragelensconfigurationtagging deletestoragelensgroup describejob \
    describemultiregionaccesspointoperation dissociateaccessgrantsidentitycenter getaccessgrant \
    getaccessgrantsinstance getaccessgrantsinstanceforprefix getaccessgrantsinstanceresourcepolicy \
    getaccessgrantslocation getaccesspoint getaccesspointconfigurationforobjectlambda \
    getaccesspointforobjectlambda getaccesspointpolicy getaccesspointpolicyforobjectlambda \
    getaccesspointpolicystatus getaccesspointpolicystatusforobjectlambda getaccountpublicaccessblock \
    getdataaccess getjobtagging getmultiregionaccesspoint getmultiregionaccesspointpolicy \
    getmultiregionaccesspointpolicystatus getmultiregionaccesspointroutes getstoragelensconfiguration \
    getstoragelensconfigurationtagging getstoragelensdashboard getstoragelensgroup listaccessgrants \
    listaccessgrantsinstances listaccessgrantslocations listaccesspoints listaccesspointsforobjectlambda \
    listallmybuckets listcalleraccessgrants listjobs listmultiregionaccesspoints \
    liststoragelensconfigurations liststoragelensgroups putaccessgrantsinstanceresourcepolicy \
    putaccesspointconfigurationforobjectlambda putaccesspointpolicy putaccesspointpolicyforobjectlambda \
    putaccesspointpublicaccessblock putaccountpublicaccessblock putjobtagging \
    putmultiregionaccesspointpolicy putstoragelensconfiguration putstoragelensconfigurationtagging \
    submitmultiregionaccesspointroutes updateaccessgrantslocation updatejobpriority updatejobstatus \
    updatestoragelensgroup";

/// Condition keys that an S3 request may contain.
pub(super) const KEYS: &str = "\
    aws:CalledVia aws:CalledViaFirst aws:CalledViaLast aws:ChatbotSourceArn aws:CurrentTime \
    aws:Ec2InstanceSourceVPC aws:Ec2InstanceSourcePrivateIPv4 aws:EpochTime aws:FederatedProvider \
    aws:MultiFactorAuthAge aws:MultiFactorAuthPresent aws:PrincipalAccount aws:PrincipalArn \
    aws:PrincipalIsAWSService aws:PrincipalOrgID aws:PrincipalOrgPaths aws:PrincipalServiceName \
    aws:PrincipalServiceNamesList aws:PrincipalType aws:Referer aws:RequestedRegion aws:ResourceAccount \
    aws:ResourceOrgID aws:ResourceOrgPaths aws:RoleSessionName aws:SecureTransport aws:SourceAccount \
    aws:SourceArn aws:SourceIdentity aws:SourceIp aws:SourceOrgID aws:SourceOrgPaths aws:SourceOwner \
    aws:SourceVpc aws:SourceVpcArn aws:SourceVpce aws:TagKeys aws:TokenIssueTime aws:UserAgent \
    aws:userid aws:username aws:ViaAWSService aws:VpcSourceIp aws:VpceAccount aws:VpceOrgID \
    aws:VpceOrgPaths aws:AssumedRoot aws:IsMcpServiceAction aws:SignInSessionArn s3:AccessGrantScope \
    s3:AccessGrantsInstanceArn s3:AccessGrantsLocationScope s3:AccessPointNetworkOrigin \
    s3:DataAccessPointAccount s3:DataAccessPointArn s3:ExistingJobOperation s3:ExistingJobPriority \
    s3:InventoryAccessibleOptionalFields s3:JobSuspendedCause s3:ObjectCreationOperation \
    s3:RequestJobOperation s3:RequestJobPriority s3:RequestObjectTagKeys s3:ResourceAccount \
    s3:TlsVersion s3:authType s3:delimiter s3:deliverySourceArn s3:destinationRegion s3:if-match \
    s3:if-none-match s3:isReplicationPauseRequest s3:locationconstraint s3:logType s3:max-keys \
    s3:object-lock-legal-hold s3:object-lock-mode s3:object-lock-remaining-retention-days \
    s3:object-lock-retain-until-date s3:prefix s3:resourceArnBeingAuthorized s3:signatureAge \
    s3:signatureversion s3:versionid s3:x-amz-acl s3:x-amz-bucket-namespace s3:x-amz-content-sha256 \
    s3:x-amz-copy-source s3:x-amz-grant-full-control s3:x-amz-grant-read s3:x-amz-grant-read-acp \
    s3:x-amz-grant-write s3:x-amz-grant-write-acp s3:x-amz-metadata-directive s3:x-amz-object-ownership \
    s3:x-amz-server-side-encryption s3:x-amz-server-side-encryption-aws-kms-key-id \
    s3:x-amz-server-side-encryption-customer-algorithm s3:x-amz-storage-class \
    s3:x-amz-website-redirect-location";

/// Prefixes of condition keys that end with a tag key.
pub(super) const TAG_KEYS: &str = "\
    aws:PrincipalTag/ aws:RequestTag/ aws:ResourceTag/ s3:AccessPointTag/ s3:BucketTag/ \
    s3:ExistingObjectTag/ s3:RequestObjectTag/";

/// Multivalued condition keys, in lower case.
pub(super) const MULTIVALUED_KEYS: &str = "\
    aws:calledvia aws:principalorgpaths aws:principalservicenameslist aws:resourceorgpaths \
    aws:sourceorgpaths aws:vpceorgpaths aws:tagkeys s3:inventoryaccessibleoptionalfields \
    s3:requestobjecttagkeys";

/// Condition keys that identify the source a service acts for, in lower case.
pub(super) const SOURCE_KEYS: &str = "\
    aws:sourceaccount aws:sourcearn aws:sourceorgid aws:sourceorgpaths";

/// Whether a list contains the name, ignoring case.
pub(super) fn has(list: &str, name: &str) -> bool {
    list.split(' ').any(|known| known.eq_ignore_ascii_case(name))
}

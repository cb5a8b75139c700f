# Providers, one per account-region

provider "aws" {
  alias               = "hub"
  region              = "cn-north-1"
  allowed_account_ids = ["111122223333"]
}

provider "aws" {
  alias               = "account_222222222222_cn_north_1"
  region              = "cn-north-1"
  allowed_account_ids = ["222222222222"]

  assume_role {
    role_arn = "arn:aws-cn:iam::222222222222:role/flowagg"
  }
}

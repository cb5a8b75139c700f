# Providers, one per account-region

provider "aws" {
  alias               = "hub"
  region              = "us-gov-west-1"
  allowed_account_ids = ["111122223333"]
}

provider "aws" {
  alias               = "account_222222222222_us_gov_west_1"
  region              = "us-gov-west-1"
  allowed_account_ids = ["222222222222"]

  assume_role {
    role_arn = "arn:aws-us-gov:iam::222222222222:role/flowagg"
  }
}

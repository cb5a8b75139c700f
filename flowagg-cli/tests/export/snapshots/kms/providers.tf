# Providers, one per account-region

provider "aws" {
  alias               = "hub"
  region              = "us-west-2"
  allowed_account_ids = ["111122223333"]

  assume_role {
    role_arn = "arn:aws:iam::111122223333:role/teams/network/hub"
  }
}

provider "aws" {
  alias               = "account_012345678901_us_west_2"
  region              = "us-west-2"
  allowed_account_ids = ["012345678901"]

  assume_role {
    role_arn = "arn:aws:iam::012345678901:role/flowagg"
  }
}

provider "aws" {
  alias               = "account_222222222222_us_west_2"
  region              = "us-west-2"
  allowed_account_ids = ["222222222222"]

  assume_role {
    role_arn = "arn:aws:iam::222222222222:role/network/flowagg"
  }
}

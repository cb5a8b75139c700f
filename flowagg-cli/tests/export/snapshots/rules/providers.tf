# Providers, one per account-region

provider "aws" {
  alias               = "hub"
  region              = "eu-west-1"
  profile             = "logs"
  allowed_account_ids = ["111122223333"]
}

provider "aws" {
  alias               = "account_111122223333_us_east_1"
  region              = "us-east-1"
  profile             = "logs"
  allowed_account_ids = ["111122223333"]
}

provider "aws" {
  alias               = "account_222222222222_eu_west_1"
  region              = "eu-west-1"
  profile             = "logs"
  allowed_account_ids = ["222222222222"]

  assume_role {
    role_arn = "arn:aws:iam::222222222222:role/flowagg"
  }
}

provider "aws" {
  alias               = "account_222222222222_us_east_1"
  region              = "us-east-1"
  profile             = "logs"
  allowed_account_ids = ["222222222222"]

  assume_role {
    role_arn = "arn:aws:iam::222222222222:role/flowagg"
  }
}

provider "aws" {
  alias               = "account_333333333333_eu_west_1"
  region              = "eu-west-1"
  profile             = "logs"
  allowed_account_ids = ["333333333333"]

  assume_role {
    role_arn = "arn:aws:iam::333333333333:role/flowagg"
  }
}

provider "aws" {
  alias               = "account_444444444444_eu_west_1"
  region              = "eu-west-1"
  profile             = "logs"
  allowed_account_ids = ["444444444444"]

  assume_role {
    role_arn = "arn:aws:iam::444444444444:role/flowagg"
  }
}

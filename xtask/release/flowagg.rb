# The Homebrew formula of flowagg. `cargo xtask release join` inserts the version and the checksums of a release.
class Flowagg < Formula
  desc "Collect VPC Flow Logs of many AWS accounts in one S3 bucket"
  homepage "https://github.com/flowagg/flowagg"
  version "@VERSION@"
  license any_of: ["MIT", "Apache-2.0"]

  on_macos do
    on_arm do
      url "https://github.com/flowagg/flowagg/releases/download/v@VERSION@/flowagg-@VERSION@-aarch64-apple-darwin.tar.gz"
      sha256 "@aarch64-apple-darwin@"
    end
    on_intel do
      url "https://github.com/flowagg/flowagg/releases/download/v@VERSION@/flowagg-@VERSION@-x86_64-apple-darwin.tar.gz"
      sha256 "@x86_64-apple-darwin@"
    end
  end

  on_linux do
    on_arm do
      url "https://github.com/flowagg/flowagg/releases/download/v@VERSION@/flowagg-@VERSION@-aarch64-unknown-linux-musl.tar.gz"
      sha256 "@aarch64-unknown-linux-musl@"
    end
    on_intel do
      url "https://github.com/flowagg/flowagg/releases/download/v@VERSION@/flowagg-@VERSION@-x86_64-unknown-linux-musl.tar.gz"
      sha256 "@x86_64-unknown-linux-musl@"
    end
  end

  def install
    bin.install "flowagg"
    man1.install Dir["man/*.1"]
    bash_completion.install "completions/flowagg.bash" => "flowagg"
    zsh_completion.install "completions/_flowagg"
    fish_completion.install "completions/flowagg.fish"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/flowagg --version")
    (testpath/"flowagg.toml").write <<~TOML
      [hub]
      account = "111122223333"
      region = "eu-west-1"
      bucket = "acme-flow-logs"

      [[members]]
      account = "222222222222"
      regions = ["eu-west-1"]
    TOML
    assert_match "222222222222", shell_output("#{bin}/flowagg policy build")
  end
end

// `tls judge` as the launcher runs it.

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "config/config.h"
#include "daemon/sys/key_files.h"
#include "tests/daemon/tls/fixtures.h"

using namespace fixtures;

namespace {

std::string judge(const config::Tls& tls, const std::vector<sys::KeyFile>& files) {
  char name[] = "/tmp/hooksmtpd-test-XXXXXX";
  const std::filesystem::path folder = mkdtemp(name);
  config::Config config;
  config.tls = tls;
  std::ofstream(folder / "in", std::ios::binary) << config::to_json(config) << '\n' << sys::to_bytes(files);
  const std::string command = std::string(std::getenv("HOOKSMTPD_TLS")) + " judge <" + (folder / "in").string() + " >" +
                              (folder / "out").string();
  CHECK(std::system(command.c_str()) == 0);
  std::ifstream out(folder / "out", std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(out)), std::istreambuf_iterator<char>());
  std::filesystem::remove_all(folder);
  return text;
}

}  // namespace

TEST_CASE("the program judges a configuration and the key files that come with it") {
  const Pair pair = make_pair();
  const Pair other = make_pair({.key = "P-384"});
  config::Tls config = config_of({&pair});
  CHECK(judge(config, {}) == "{\"problems\":[]}\n");
  CHECK(judge(config, {{.path = "1.key", .error = 0, .text = pair.key_pem}}) == "{\"problems\":[]}\n");
  config.certificates[0].source = {.file = "/etc/h\xffn.toml", .line = 3, .column = 1};
  CHECK(judge(config, {{.path = "1.key", .error = 0, .text = other.key_pem}}) ==
        "{\"problems\":[{\"column\":1,\"file\":\"/etc/"
        "h\\ufffdn.toml\",\"line\":3,\"severity\":\"error\",\"text\":\"1.key "
        "(ECDSA, P-384) is not the key of the certificate in 1.crt (ECDSA, P-256): name the two files that belong "
        "together\"}]}\n");
}

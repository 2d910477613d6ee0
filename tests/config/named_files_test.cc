// What is read of the files that a configuration names.

#include "config/named_files.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"
#include "tests/config/folder.h"

namespace hooksmtpd::config {
namespace {

namespace fs = std::filesystem;

const std::string kOne = "-----BEGIN CERTIFICATE-----\nMIIBone\n-----END CERTIFICATE-----\n";
const std::string kTwo = "-----BEGIN CERTIFICATE-----\nMIIBtwo\n-----END CERTIFICATE-----\n";
const std::string kKey = "-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----\n";

Loaded load_good(const Folder& folder) {
  auto loaded = load(folder.request());
  if (!loaded) FAIL(to_string(loaded.error()));
  return std::move(*loaded);
}

TEST_CASE("a chain is read as a whole, and its key is not") {
  const Folder folder;
  folder.write("main.toml", "tls.mode = \"starttls\"\ntls.certificate = \"./chain.pem\"\ntls.key = \"./none.key\"\n");
  folder.write("chain.pem", "one\n" + kOne + kTwo);
  const Loaded loaded = load_good(folder);
  REQUIRE_EQ(loaded.config.tls.certificates.size(), 1);
  const Certificate& certificate = loaded.config.tls.certificates[0];
  CHECK_EQ(certificate.chain, Pem{.file = folder / "chain.pem", .text = kOne + kTwo});
  CHECK_EQ(certificate.key, folder / "none.key");
  CHECK_EQ(certificate.source, Source{.file = folder / "main.toml", .line = 2, .column = 19});
}

TEST_CASE("a key that stands in the file of its certificate is refused, whatever tls.key says") {
  const Folder folder;
  const std::string refused = "has a private key in it, too: put the certificate into a file without the key";
  folder.write("main.toml",
               "tls.mode = \"starttls\"\ntls.certificate = \"./both.pem\"\ntls.key = \"./both.pem\"\n"
               "[[tls.sni]]\ncertificate = \"./b.pem\"\n");
  folder.write("both.pem", kKey + kOne);
  folder.write("b.pem", kTwo + kKey);
  CHECK_EQ(folder.errors(), "~/main.toml:2:19: tls.certificate \"~/both.pem\" " + refused +
                                "\n~/main.toml:4:1: tls.sni.certificate \"~/b.pem\" " + refused);
}

TEST_CASE("authorities come from a file and from a folder, each certificate once") {
  const Folder folder;
  folder.write("main.toml", "tls.ca_file = \"./ca.pem\"\ntls.ca_dir = \"./cas\"\n");
  folder.write("ca.pem", kOne);
  folder.write("cas/one.crt", kOne);
  folder.write("cas/two.crt", kTwo);
  folder.write("cas/README", kTwo);
  fs::create_symlink("two.crt", folder / "cas/0a1b2c3d.0");
  const Loaded loaded = load_good(folder);
  CHECK_EQ(loaded.config.tls.authorities, std::vector<Pem>{{.file = folder / "ca.pem", .text = kOne},
                                                           {.file = folder / "cas/0a1b2c3d.0", .text = kTwo}});
}

TEST_CASE("the password file is read, and its mistakes are told at its own lines") {
  const Folder folder;
  folder.write("main.toml", "[auth]\nsource = \"passwords\"\nbefore_tls = true\npasswords = \"./passwords\"\n");
  const fs::path file = folder.write("passwords", "# nobody\n");
  ::chmod(file.c_str(), 0640);
  CHECK_EQ(load_good(folder).config.auth.passwords, "# nobody\n");
  folder.write("passwords", "# nobody\nann:secret\n");
  CHECK_EQ(folder.errors().substr(0, 16), "~/passwords:2:4:");
  CHECK_EQ(folder.errors().find("secret"), std::string::npos);
}

TEST_CASE("a password file that every user reads is a warning, one that every user writes an error") {
  const Folder folder;
  folder.write("main.toml", "[auth]\nsource = \"passwords\"\nbefore_tls = true\npasswords = \"./passwords\"\n");
  const fs::path file = folder.write("passwords", "");
  ::chmod(file.c_str(), 0644);
  CHECK_NE(to_string(load_good(folder).warnings).find("every user can read it, and try passwords on it: chmod o-r"),
           std::string::npos);
  ::chmod(file.c_str(), 0666);
  CHECK_EQ(folder.errors(),
           "~/main.toml:4:13: auth.passwords \"~/passwords\" every user can change it: chmod o-w ~/passwords");
}

TEST_CASE("a reload must find a file under every name that leads to it") {
  const Folder folder;
  folder.write("main.toml",
               "tls.mode = \"starttls\"\ntls.certificate = \"./live/cert.pem\"\ntls.key = \"./key.pem\"\n");
  folder.write("archive/cert1.pem", kOne);
  fs::create_directory(folder / "live");
  fs::create_symlink("../archive/cert.pem", folder / "live/cert.pem");
  fs::create_symlink("cert1.pem", folder / "archive/cert.pem");
  CHECK_EQ(load_good(folder).read,
           std::vector<fs::path>{folder / "live/cert.pem", folder / "archive/cert.pem", folder / "archive/cert1.pem"});
}

TEST_CASE("a file that is too large, or none, is refused at the setting that names it") {
  const Folder folder;
  folder.write("main.toml", "tls.ca_file = \"./ca.pem\"\n");
  folder.write("ca.pem", kOne + std::string(1024 * 1024, '\n'));
  CHECK_EQ(folder.errors(), "~/main.toml:1:15: tls.ca_file \"~/ca.pem\" is larger than 1 MiB");
  fs::remove(folder / "ca.pem");
  fs::create_directory(folder / "ca.pem");
  CHECK_EQ(folder.errors(), "~/main.toml:1:15: tls.ca_file \"~/ca.pem\" is not a file");
}

TEST_CASE("configure reads the file that it names, and no other") {
  const Folder folder;
  folder.write("main.toml", "tls.mode = \"starttls\"\ntls.certificate = \"./cert.pem\"\ntls.key = \"./key.pem\"\n");
  folder.write("cert.pem", kOne);
  folder.write("ca.pem", kTwo);
  const Loaded running = load_good(folder);
  fs::remove(folder / "cert.pem");

  const auto changed = with_setting(running, *find_setting("-cafile"), (folder / "ca.pem").string());
  REQUIRE(changed);
  CHECK_EQ(changed->config.tls.authorities, std::vector<Pem>{{.file = folder / "ca.pem", .text = kTwo}});
  CHECK_EQ(changed->config.tls.certificates, running.config.tls.certificates);
  CHECK_EQ(changed->read, std::vector<fs::path>{folder / "cert.pem", folder / "ca.pem"});
  CHECK_EQ(to_string(changed->origins.at("tls.ca_file")), "configure");

  CHECK(with_setting(running, *find_setting("banner"), "x"));
  CHECK(!with_setting(running, *find_setting("-certfile"), (folder / "none.pem").string()));
  const auto wrong = with_setting(running, *find_setting("auth.required"), "true");
  REQUIRE(!wrong);
  CHECK_EQ(to_string(wrong.error()),
           "auth.required is true for listener 'smtp', but auth.source is \"none\": nobody could send mail");
}

}  // namespace
}  // namespace hooksmtpd::config

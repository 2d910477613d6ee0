#include "daemon/keyholder/load_keys.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "daemon/tls/remote_key.h"
#include "tests/daemon/tls/fixtures.h"

using namespace fixtures;
using keyholder::load_keys;
namespace fs = std::filesystem;

namespace {

// A folder with the key of one certificate.
class Folder {
 public:
  Folder() {
    char name[] = "/tmp/hooksmtpd-test-XXXXXX";
    path_ = mkdtemp(name);
  }
  ~Folder() { fs::remove_all(path_); }
  fs::path write(const std::string& name, const std::string& text, mode_t mode = 0600) const {
    const fs::path file = path_ / name;
    std::ofstream(file) << text;
    ::chmod(file.c_str(), mode);
    return file;
  }
  fs::path operator/(const std::string& name) const { return path_ / name; }

 private:
  fs::path path_;
};

config::Tls with_key(const Pair& pair, const fs::path& key) {
  config::Tls config = config_of({&pair});
  config.certificates[0].key = key;
  return config;
}

bool has(const keyholder::LoadedKeys& loaded, const Pair& pair) {
  return loaded.keys && loaded.keys->find(tls::key_id(X509_get0_pubkey(pair.certificate.get()))) != nullptr;
}

}  // namespace

TEST_CASE("a key that we may read is read, through a symbolic link too") {
  const Folder folder;
  const Pair pair = make_pair();
  const fs::path file = folder.write("archive.pem", pair.key_pem, 0640);
  fs::create_symlink(file, folder / "key.pem");
  const auto loaded = load_keys(with_key(pair, folder / "key.pem"), {});
  CHECK(has(loaded, pair));
  CHECK(loaded.sentences.empty());
}

TEST_CASE("a key that every user can read is used, with a warning") {
  const Folder folder;
  const Pair pair = make_pair();
  const std::string file = folder.write("key.pem", pair.key_pem, 0644);
  const auto loaded = load_keys(with_key(pair, file), {});
  CHECK(has(loaded, pair));
  CHECK(loaded.sentences ==
        std::vector<std::string>{file + " can be read by every user of this machine: chmod o-r " + file});
}

TEST_CASE("what cannot be read is refused, and each reason is told") {
  const Folder folder;
  const Pair pair = make_pair();
  const auto refusal = [&](const fs::path& key) {
    const auto loaded = load_keys(with_key(pair, key), {});
    CHECK_FALSE(loaded.keys);
    return loaded.sentences.empty() ? "" : loaded.sentences[0].substr(key.native().size());
  };
  CHECK(refusal(folder / "none.pem") == " cannot be read: No such file or directory");
  CHECK(refusal(folder / "") == " cannot be read: Is a directory");
  CHECK(refusal("/dev/null") == " cannot be read: Invalid argument");
  CHECK(refusal(folder.write("large.pem", std::string(64 * 1024 + 1, 'x'))) == " cannot be read: File too large");
  CHECK(refusal(folder.write("text.pem", "no key")).starts_with(" is not a PEM file"));
}

TEST_CASE("a key that only root could read stays in use, and people learn how to change that") {
  const Pair pair = make_pair();
  const Folder folder;
  const std::string file = folder.write("key.pem", pair.key_pem);
  const std::vector<sys::KeyFile> at_start{{.path = file, .error = 0, .text = pair.key_pem}};

  fs::remove(file);
  const auto gone = load_keys(with_key(pair, file), at_start);
  CHECK(has(gone, pair));
  CHECK(gone.sentences == std::vector<std::string>{
                              file + " cannot be read: No such file or directory; the key read at start stays in use"});

  if (::geteuid() != 0) return;  // only root has something to hide from others
  folder.write("key.pem", pair.key_pem);
  REQUIRE(::chmod((folder / "").c_str(), 0755) == 0);
  REQUIRE(::seteuid(65534) == 0);
  const auto closed = load_keys(with_key(pair, file), at_start);
  // A renewed certificate does not go with the old key: refused, and the note says why.
  const Pair renewed = make_pair();
  const auto other = load_keys(with_key(renewed, file), at_start);
  REQUIRE(::seteuid(0) == 0);
  const std::string note =
      file +
      " is not readable for hooksmtpd-key: the key read at start stays in use; chgrp hooksmtpd-key "
      "and chmod 0640 to reload it live";
  CHECK(has(closed, pair));
  CHECK(closed.sentences == std::vector<std::string>{note});
  CHECK_FALSE(other.keys);
  REQUIRE(other.sentences.size() == 2);
  CHECK(other.sentences[0].find("is not the key of the certificate in 1.crt") != std::string::npos);
  CHECK(other.sentences[1] == note);
}

TEST_CASE("a password may be known from the start, too") {
  const Folder folder;
  const Pair pair = make_pair();
  config::Tls config = with_key(pair, folder.write("key.pem", encrypted(pair, "open sesame")));
  config.certificates[0].key_password_file = folder / "password";
  CHECK_FALSE(load_keys(config, {}).keys);
  CHECK(has(load_keys(config, {{.path = folder / "password", .error = 0, .text = "open sesame\n"}}), pair));
  folder.write("password", "open sesame\n");
  CHECK(has(load_keys(config, {}), pair));
}

#include "daemon/keyholder/load_keys.h"

#include <chrono>
#include <filesystem>
#include <set>
#include <utility>

#include "config/load.h"
#include "daemon/keyholder/read_key_file.h"
#include "daemon/tls/chain.h"
#include "daemon/tls/judge.h"
#include "daemon/tls/private_key.h"
#include "daemon/tls/remote_key.h"

namespace hooksmtpd::keyholder {
namespace {

// The texts of the files, gone with it.
class Texts {
 public:
  Texts() = default;
  Texts(const Texts&) = delete;
  Texts& operator=(const Texts&) = delete;
  ~Texts() { wipe(files_); }

  void add(sys::KeyFile file) { files_.push_back(std::move(file)); }
  const std::vector<sys::KeyFile>& all() const { return files_; }
  std::string_view text_of(const std::filesystem::path& path) const {
    for (const sys::KeyFile& file : files_) {
      if (file.path == path) return file.text;
    }
    return {};
  }

 private:
  std::vector<sys::KeyFile> files_;
};

std::set<std::filesystem::path> files_named_by(const config::Tls& tls) {
  std::set<std::filesystem::path> names;
  for (const config::Certificate& one : tls.certificates) {
    names.insert(one.key);
    if (!one.key_password_file.empty()) names.insert(one.key_password_file);
  }
  return names;
}

// judge() had nothing against it.
KeySet keys_of(const config::Tls& tls, const Texts& texts) {
  KeySet keys;
  for (const config::Certificate& one : tls.certificates) {
    const auto chain = tls::read_chain(one.chain.file, one.chain.text);
    const EVP_PKEY* const public_key = X509_get0_pubkey(chain.value().leaf.get());
    auto key = tls::read_private_key_of(public_key, one.chain.file,
                                        {.file = one.key,
                                         .text = texts.text_of(one.key),
                                         .password_file = one.key_password_file,
                                         .password_text = texts.text_of(one.key_password_file)});
    keys.add(tls::key_id(public_key), std::move(key.value()));
  }
  return keys;
}

}  // namespace

LoadedKeys load_keys(const config::Tls& tls, const std::vector<sys::KeyFile>& at_start) {
  LoadedKeys loaded;
  Texts texts;
  std::vector<std::string> notes;
  for (const std::filesystem::path& name : files_named_by(tls)) {
    ReadKeyFile read = read_key_file(name, at_start);
    texts.add(std::move(read.file));
    if (!read.note.empty()) notes.push_back(std::move(read.note));
  }
  bool refused = false;
  for (config::Problem& problem : tls::judge(tls, texts.all(), std::chrono::system_clock::now())) {
    const bool error = problem.severity == config::Severity::kError;
    refused = refused || error;
    auto& list = error ? loaded.sentences : notes;
    list.push_back(std::move(problem.text));
  }
  loaded.sentences.insert(loaded.sentences.end(), notes.begin(), notes.end());
  if (!refused) loaded.keys = keys_of(tls, texts);
  return loaded;
}

}  // namespace hooksmtpd::keyholder

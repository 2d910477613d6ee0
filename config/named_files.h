// What stands in the files that a configuration names: certificates, authorities, the password file. Private keys and
// their passwords are not among them: the keyholder reads those.

#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "config/file_store.h"
#include "config/load.h"

namespace hooksmtpd::config {

struct NamedFiles {
  std::vector<std::filesystem::path> read;  // under each name that leads to it (FileStore::names)
  std::vector<Problem> problems;
};

// Fills Pem::text, Tls::authorities and Auth::passwords anew. A certificate whose private key stands in the same file
// is refused: who may read the one must not see the other. What is wrong is told at the setting that names the file; of
// the password file, which is for people to read, at its own line. `only`: a setting whose change is the occasion;
// files that it does not name are left as they were read before. Empty: all.
NamedFiles read_named_files(Config& config, const Origins& origins, FileStore& store, std::string_view only = {});

}  // namespace hooksmtpd::config

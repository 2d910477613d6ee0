// What load() finds in one file, "/c/h.toml", beside which these stand: cert.pem, key.pem, both.pem (a key and a
// certificate), der.crt, empty.pem, the folder cas without a certificate, and passwords, an empty password file.

#pragma once

#include <string>
#include <string_view>

namespace hooksmtpd::config {

struct Case {
  std::string_view text, problems;
};

// Every error, the file's name and ":" taken off each line; "no error".
std::string problems_of(std::string_view text);

// The same for warnings and notes of a file without errors; that no hook delivers is left out.
std::string warnings_of(std::string_view text);

}  // namespace hooksmtpd::config

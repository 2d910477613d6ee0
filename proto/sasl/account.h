// Whom a client claims to be, held against the password file, so that the client cannot tell a name that nobody has
// from a wrong password: neither by what it is told nor by the time it takes.

#pragma once

#include <string>
#include <string_view>

#include "proto/sasl/credentials.h"
#include "proto/sasl/password_file.h"
#include "proto/sasl/step.h"

namespace hooksmtpd::sasl {

struct Account {
  bool exists = false;
  bool has_cram = false;  // it exists, and was made for CRAM-MD5
  std::string user;       // the name after SASLprep
  ScramKeys scram;        // its own, or a decoy
  CramKeys cram;          // the same
};

// A decoy is stable: the same name has the same salt, until the file changes. Its iterations and the length of its
// salt are those of one of the entries, so that these give nothing away either.
Account find_account(const PasswordFile& users, std::string_view user);

// PLAIN and LOGIN: the password of the credentials against the account's keys. Accepted names the user as the file has
// it; anything else is Refused.
Step check_password(const PasswordFile& users, Credentials& credentials);

}  // namespace hooksmtpd::sasl

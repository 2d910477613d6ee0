// passwd: makes, changes, deletes and checks entries of a password file (proto/sasl/password_file.h has its form).

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sysexits.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "daemon/passwd/ask.h"
#include "daemon/passwd/entry_file.h"
#include "daemon/passwd/failure.h"
#include "daemon/passwd/lines.h"
#include "daemon/sys/error.h"
#include "proto/sasl/hmac_md5.h"
#include "proto/sasl/password_file.h"
#include "proto/sasl/saslprep.h"
#include "proto/sasl/scram_keys.h"

namespace hooksmtpd::passwd {
namespace {

constexpr int kWrongPassword = 1;
constexpr std::size_t kSalt = 16;
constexpr std::uint32_t kIterations = 10'000;  // two milliseconds of the worker for PLAIN and LOGIN

struct Options {
  std::string name, file;
  std::vector<std::string> secrets;  // what should not be there
  std::uint32_t iterations = kIterations;
  bool cram = false, remove = false, check = false;
};

std::string prepared_name(const Options& options) {
  const auto name = sasl::saslprep(options.name);
  if (!name) {
    throw Failure(EX_DATAERR, "that name is empty, not UTF-8, or has characters that SASLprep (RFC 4013) forbids");
  }
  if (const auto wrong = sasl::wrong_with_name(*name)) throw Failure(EX_DATAERR, std::string(*wrong));
  if (*name != options.name) fmt::print(stderr, "{} is the same name as {}, and stored so\n", options.name, *name);
  return *name;
}

std::string random_salt() {
  std::string salt(kSalt, '\0');
  sys::must(::getrandom(salt.data(), salt.size(), 0), "getrandom");
  return salt;
}

sasl::Wiped prepared_password(Asking asking) {
  const sasl::Wiped typed = ask_password(asking);
  auto prepared = sasl::saslprep(typed.text);
  if (!prepared) {
    throw Failure(EX_DATAERR,
                  "the password is not UTF-8, or has characters that SASLprep (RFC 4013) forbids: control characters, "
                  "or some younger than Unicode 3.2, as most emoji are");
  }
  return sasl::Wiped(std::move(*prepared));
}

sasl::Entry make_entry(const Options& options, const std::string& name) {
  const sasl::Wiped password = prepared_password(Asking::kTwice);
  sasl::Entry entry{
      .user = name, .scram = sasl::derive_scram_keys(password.text, random_salt(), options.iterations), .cram = {}};
  if (options.cram) {
    entry.cram = sasl::derive_cram_keys(password.text);
    fmt::print(
        stderr,
        "Note: what is stored for CRAM-MD5 is as good as the password: whoever can read it can log in with it.\n");
  }
  return entry;
}

void print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    sys::throw_errno("write to standard output");
  }
}

// What keeps the daemon from using the file; the entry that was asked for is none of it.
void warn(const EntryFile& file, std::string_view text) {
  if (const auto parsed = sasl::PasswordFile::parse(text); !parsed) {
    for (const sasl::LineError& error : parsed.error()) {
      fmt::print(stderr, "{}:{}:{}: {}\n", file.path().string(), error.line, error.column, error.text);
    }
    fmt::print(stderr, "The daemon will not use the file before that is mended.\n");
  }
  if (file.open_to_all()) {
    fmt::print(stderr, "Others can read {0}, and guess at what is in it: chmod o= {0}\n", file.path().string());
  }
}

void replace(EntryFile& file, const Options& options, const std::string& text, std::string_view what) {
  file.replace(text);
  print(fmt::format("{} {} {}; a daemon that runs takes it with `hooksmtpctl reload`\n", options.name, what,
                    file.path().string()));
  warn(file, text);
}

EntryFile existing(const Options& options) {
  EntryFile file(options.file);
  if (!file.exists()) throw Failure(EX_NOINPUT, fmt::format("{} does not exist", options.file));
  return file;
}

int store(const Options& options) {
  const std::string name = prepared_name(options);
  const sasl::Entry entry = make_entry(options, name);
  if (options.file.empty()) {
    print(to_string(entry) + '\n');
    return EX_OK;
  }
  EntryFile file(options.file);  // only now: nobody else should wait while a password is typed
  const auto old = line_of(file.text(), name);
  if (old && old->find(":{CRAM-MD5}") != old->npos && !entry.cram) {
    fmt::print(stderr, "Note: {} cannot use CRAM-MD5 any more; --cram would have kept it.\n", name);
  }
  replace(file, options, with_line(file.text(), name, to_string(entry)), old ? "is changed in" : "is added to");
  return EX_OK;
}

int remove(const Options& options) {
  const std::string name = prepared_name(options);
  EntryFile file = existing(options);
  if (!line_of(file.text(), name)) throw Failure(EX_NOUSER, fmt::format("{} has no entry {}", options.file, name));
  replace(file, options, without_line(file.text(), name), "is deleted from");
  return EX_OK;
}

int check(const Options& options) {
  const std::string name = prepared_name(options);
  const EntryFile file = existing(options);
  const auto parsed = sasl::PasswordFile::parse(file.text());
  warn(file, file.text());
  if (!parsed) return EX_DATAERR;
  const sasl::Entry* entry = parsed->find(name);
  if (!entry) throw Failure(EX_NOUSER, fmt::format("{} has no entry {}", options.file, name));
  const sasl::Wiped password = prepared_password(Asking::kOnce);
  const bool right = sasl::is_password_of(entry->scram, password.text);
  print(fmt::format("that is {}the password of {}\n", right ? "" : "not ", name));
  return right ? EX_OK : kWrongPassword;
}

void require_sense(const Options& options) {
  if (!options.secrets.empty()) {
    throw Failure(EX_USAGE,
                  "a password is never an argument: everybody could see it in the list of processes, and the shell "
                  "keeps it in its history. Type it when you are asked, or hand it to standard input");
  }
  if (options.iterations < sasl::kMinIterations || options.iterations > sasl::kMaxIterations) {
    throw Failure(EX_USAGE, fmt::format("--iterations is from {} (RFC 7677) to {} (the worker counts to it each time "
                                        "somebody tries PLAIN or LOGIN)",
                                        sasl::kMinIterations, sasl::kMaxIterations));
  }
  if ((options.remove || options.check) && options.file.empty()) {
    throw Failure(EX_USAGE, "--delete and --check need --file FILE");
  }
}

int run(int argc, char** argv) {
  ::prctl(PR_SET_DUMPABLE, 0);  // no core file with a password in it
  Options options;
  CLI::App app("Makes entries of a password file, for auth.source = \"passwords\".", "hooksmtpd passwd");
  app.set_version_flag("--version", "hooksmtpd " HOOKSMTPD_VERSION);
  app.add_option("NAME", options.name, "the user, as a mail client will name it")->required();
  app.add_option("--file", options.file, "put the entry into this file instead of printing it")->type_name("FILE");
  app.add_option("--iterations", options.iterations, "of PBKDF2")->type_name("N")->capture_default_str();
  app.add_flag("--cram", options.cram, "store also what CRAM-MD5 needs, which is as good as the password");
  CLI::Option* remove_flag = app.add_flag("--delete", options.remove, "take the entry out of the file");
  app.add_flag("--check", options.check, "say whether a password is the one of the entry")->excludes(remove_flag);
  // What a password might be mistaken for, so that no message of the option parser shows it.
  app.add_option("--password,-p,SECRET", options.secrets)->group("");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? EX_OK : EX_USAGE;
  }
  require_sense(options);
  if (options.check) return check(options);
  return options.remove ? remove(options) : store(options);
}

}  // namespace
}  // namespace hooksmtpd::passwd

int main(int argc, char** argv) try {
  return hooksmtpd::passwd::run(argc, argv);
} catch (const hooksmtpd::passwd::Failure& failure) {
  fmt::print(stderr, "hooksmtpd passwd: {}\n", failure.what());
  return failure.status();
} catch (const std::exception& error) {
  fmt::print(stderr, "hooksmtpd passwd: {}\n", error.what());
  return EX_IOERR;
}

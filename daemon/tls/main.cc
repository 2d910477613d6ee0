// Makes and judges certificates for those who must not load OpenSSL. Reads standard input, writes standard output,
// opens no file and needs no privilege.
//
//   tls judge   in: a line of config::to_json(), then what sys::to_bytes() made of the key files, if any
//               out: {"problems": [{"severity": "error|warning", "file": "", "line": 0, "column": 0, "text": ""}]}
//   tls make    in: {"names": [], "addresses": []} and, where they exist, "ca_certificate", "ca_key", "certificate",
//               "key" as PEM
//               out: the four, "new_authority", "new_certificate", "why", "notes": []
//
// Exit status: 0, whatever was found; 64 for a wrong command line, 65 for input that nobody of ours wrote, 70 where
// OpenSSL fails, each with a sentence on standard error.

#include <openssl/crypto.h>
#include <sys/prctl.h>
#include <sysexits.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

#include "config/config.h"
#include "daemon/sys/key_files.h"
#include "daemon/tls/judge.h"
#include "daemon/tls/openssl.h"
#include "daemon/tls/renewal.h"

using namespace hooksmtpd;
using nlohmann::json;

namespace {

constexpr std::size_t kMaxInput = 16 * 1024 * 1024;  // as a configuration in a memfd (daemon/sys/memfd.h)

struct BadInput : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::string read_input() {
  std::string text;
  char piece[16 * 1024];
  for (std::size_t got = 0; (got = std::fread(piece, 1, sizeof piece, stdin)) > 0;) {
    text.append(piece, got);
    if (text.size() > kMaxInput) throw BadInput("more than 16 MiB on standard input");
  }
  OPENSSL_cleanse(piece, sizeof piece);
  return text;
}

// dump() throws for what is not UTF-8, which a file's name may be.
std::string printed(const json& value) { return value.dump(-1, ' ', true, json::error_handler_t::replace); }

std::string judge(const std::string& input) {
  const std::size_t end = std::min(input.find('\n'), input.size());
  const auto files = sys::parse_key_files(std::string_view(input).substr(std::min(end + 1, input.size())));
  if (!files) throw BadInput("what follows the configuration are no key files");
  config::Config config;
  try {
    config = config::from_json(std::string_view(input).substr(0, end));
  } catch (const std::runtime_error& error) {
    throw BadInput(error.what());
  }
  json problems = json::array();
  for (const config::Problem& problem : tls::judge(config.tls, *files, std::chrono::system_clock::now())) {
    problems.push_back({{"severity", problem.severity == config::Severity::kError ? "error" : "warning"},
                        {"file", problem.where.file},
                        {"line", problem.where.line},
                        {"column", problem.where.column},
                        {"text", problem.text}});
  }
  return printed({{"problems", problems}});
}

std::string make(const std::string& input) {
  tls::Files files;
  tls::HostNames names;
  try {
    const json request = json::parse(input);
    names.names = request.at("names").get<std::vector<std::string>>();
    names.addresses = request.at("addresses").get<std::vector<std::string>>();
    files.ca_certificate = request.value("ca_certificate", "");
    files.ca_key = request.value("ca_key", "");
    files.certificate = request.value("certificate", "");
    files.key = request.value("key", "");
  } catch (const json::exception& error) {
    throw BadInput(error.what());
  }
  const tls::Renewed renewed = tls::renew(files, names, std::time(nullptr));
  return printed({{"ca_certificate", renewed.files.ca_certificate},
                  {"ca_key", renewed.files.ca_key},
                  {"certificate", renewed.files.certificate},
                  {"key", renewed.files.key},
                  {"new_authority", renewed.new_authority},
                  {"new_certificate", renewed.new_certificate},
                  {"why", renewed.why},
                  {"notes", renewed.notes},
                  {"refusal", renewed.refusal}});
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string_view command = argc == 2 ? argv[1] : "";
  if (command != "judge" && command != "make") {
    std::fputs("usage: tls judge | tls make (daemon/tls/main.cc says what they read; hooksmtpd runs them)\n", stderr);
    return EX_USAGE;
  }
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);  // no core file may hold a key
  tls::start_openssl();
  std::string input = read_input();
  std::string output = command == "judge" ? judge(input) : make(input);
  output += '\n';
  const bool wrote = std::fputs(output.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  OPENSSL_cleanse(input.data(), input.size());
  OPENSSL_cleanse(output.data(), output.size());
  if (!wrote) throw std::runtime_error("standard output cannot be written");
  return EX_OK;
} catch (const BadInput& error) {
  std::fprintf(stderr, "tls: the input cannot be used: %s\n", error.what());
  return EX_DATAERR;
} catch (const std::exception& error) {
  std::fprintf(stderr, "tls: %s\n", error.what());
  return EX_SOFTWARE;
}

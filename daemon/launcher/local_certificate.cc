#include "daemon/launcher/local_certificate.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string_view>

#include "daemon/launcher/file_identity.h"
#include "daemon/launcher/folders.h"
#include "daemon/launcher/helper.h"
#include "daemon/launcher/host_names.h"
#include "daemon/launcher/start_error.h"
#include "daemon/sys/error.h"
#include "daemon/sys/fd.h"
#include "daemon/sys/memfd.h"

namespace hooksmtpd::launcher {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using sys::must;

struct stat status_of(const sys::Fd& folder, const fs::path& path) {
  struct stat status{};
  must(::fstat(folder.get(), &status), path.string());
  return status;
}

// What is there; empty where nothing is.
std::string read_if_there(const fs::path& path) {
  const Owner reader = reader_of(path);
  const FileIdentity as(reader.uid, reader.gid);
  std::ifstream in(path, std::ios::binary);
  if (!in && errno != ENOENT) sys::throw_errno(path.string());
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

struct Wanted {
  fs::path path;
  std::string text;
  gid_t group;
  mode_t mode;
};

// By whoever owns the folder; under another name first, so that nobody ever reads half of it.
void write_file(const sys::Fd& folder, const Wanted& wanted) {
  const std::string name = wanted.path.filename();
  const std::string draft = "." + name + ".new";
  const FileIdentity owner(status_of(folder, wanted.path).st_uid, wanted.group);
  ::unlinkat(folder.get(), draft.c_str(), 0);  // of a run that was cut off
  const sys::Fd file(
      must(::openat(folder.get(), draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, wanted.mode),
           wanted.path.string()));
  const ssize_t written = must(::write(file.get(), wanted.text.data(), wanted.text.size()), wanted.path.string());
  if (static_cast<std::size_t>(written) != wanted.text.size()) sys::throw_errno(wanted.path.string(), ENOSPC);
  must(::fsync(file.get()), wanted.path.string());
  must(::renameat(folder.get(), draft.c_str(), folder.get(), name.c_str()), wanted.path.string());
}

bool is_as_wanted(const sys::Fd& folder, const Wanted& wanted) {
  struct stat status{};
  return ::fstatat(folder.get(), wanted.path.filename().c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         status.st_gid == wanted.group && (status.st_mode & 07777) == wanted.mode;
}

// In the process of its own, which has the keys.
json make(const CertificateOrder& order, const Identity& keyholder, const Programs& programs) {
  const bool root = ::geteuid() == 0;
  const sys::Fd folder = make_folder_and_parents(order.folder, root ? 0755 : 0700);
  const CertificateFiles files = certificate_files(order.folder);
  const HostNames host = names_of_this_host(order.hosts);
  json request{{"names", host.names}, {"addresses", host.addresses}};
  const json before{{"ca_certificate", read_if_there(files.ca)},
                    {"ca_key", read_if_there(files.ca_key)},
                    {"certificate", read_if_there(files.certificate)},
                    {"key", read_if_there(files.key)}};
  request.update(before);
  if (order.new_authority) request["ca_certificate"] = request["ca_key"] = "";
  const std::string input = request.dump(-1, ' ', true, json::error_handler_t::replace);
  const Helped said =
      run_dropped({.program = programs.tls, .arguments = {"make"}, .input = input, .more = nullptr}, keyholder);
  json made = json::parse(said.output, nullptr, /*allow_exceptions=*/false);
  if (said.wait_status != 0 || !made.is_object()) {
    throw StartError(EX_SOFTWARE, fmt::format("{} make {}", programs.tls.string(), failure_of(said.wait_status)));
  }

  if (const std::string refusal = made.at("refusal"); !refusal.empty()) throw StartError(EX_CANTCREAT, refusal);

  const gid_t ours = root ? status_of(folder, order.folder).st_gid : ::getegid();
  // The key before its certificate: whoever dies in between finds a pair that does not match, and makes another.
  const std::array wanted{
      std::pair{"ca_key", Wanted{files.ca_key, made.at("ca_key"), ours, 0600}},
      std::pair{"ca_certificate", Wanted{files.ca, made.at("ca_certificate"), ours, 0644}},
      std::pair{"key",
                Wanted{files.key, made.at("key"), root ? keyholder.gid : ours, root ? mode_t{0640} : mode_t{0600}}},
      std::pair{"certificate", Wanted{files.certificate, made.at("certificate"), ours, 0644}},
  };
  for (const auto& [name, file] : wanted) {
    const bool same = before.at(name) == file.text;
    const bool elsewhere = file.text.empty();  // the authority's key
    if (!elsewhere && (!same || !is_as_wanted(folder, file))) write_file(folder, file);
    made.erase(name);
  }
  return made;
}

// Never returns; what is to be told goes into `result`.
[[noreturn]] void make_aside(const CertificateOrder& order, const Identity& keyholder, const Programs& programs,
                             const sys::Fd& result) try {
  must(::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "prctl PR_SET_DUMPABLE");  // no core file may hold a key
  json told;
  try {
    told = make(order, keyholder, programs);
  } catch (const std::exception& error) {
    told = {{"error", error.what()}};
  }
  sys::write_and_seal(result, told.dump(-1, ' ', true, json::error_handler_t::replace));
  ::_exit(EX_OK);
} catch (const std::exception&) {
  ::_exit(EX_OSERR);
}

}  // namespace

CertificateFiles certificate_files(const fs::path& folder) {
  return {.ca = folder / "ca.pem",
          .ca_key = folder / "ca-key.pem",
          .certificate = folder / "cert.pem",
          .key = folder / "key.pem"};
}

fs::path certificate_folder(const config::Config& config) { return config.state_dir / "tls"; }

MadeCertificate make_certificate(const CertificateOrder& order, const Identity& keyholder, const Programs& programs) {
  const sys::Fd result = sys::make_memfd("hooksmtpd-made");
  const pid_t pid = must(::fork(), "fork");
  if (pid == 0) make_aside(order, keyholder, programs, result);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  const std::optional<std::string> text = sys::read_sealed_memfd(result);
  const json told = json::parse(text.value_or(""), nullptr, /*allow_exceptions=*/false);
  if (status != 0 || !told.is_object()) throw StartError(EX_OSERR, "a certificate could not be made");
  if (told.contains("error")) {
    throw StartError(EX_CANTCREAT, fmt::format("no certificate could be made in {}: {}", order.folder.string(),
                                               told.at("error").get<std::string>()));
  }
  return {.new_authority = told.at("new_authority"),
          .new_certificate = told.at("new_certificate"),
          .why = told.at("why"),
          .notes = told.at("notes")};
}

void use_local_certificate(config::Loaded& loaded) {
  if (!config::uses_tls(loaded.config) || !loaded.config.tls.certificates.empty()) return;
  const CertificateFiles files = certificate_files(certificate_folder(loaded.config));
  std::string text = read_if_there(files.certificate);
  if (text.empty()) return;
  loaded.read.push_back(files.certificate);
  loaded.config.tls.certificates.push_back({.chain = {.file = files.certificate, .text = std::move(text)},
                                            .key = files.key,
                                            .key_password_file = {},
                                            .source = {.file = files.certificate.string(), .line = 0, .column = 0}});
}

}  // namespace hooksmtpd::launcher

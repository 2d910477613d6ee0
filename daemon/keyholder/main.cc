// The keyholder: the private keys of the certificates, in a process that no mail client can talk to. Started by its
// keeper, again and again if need be; never root.
//
//   keyholder --life N --sandbox LAYERS  descriptors: 2 the log, 3 the supervisor, 4 the key files that root read at
//   start keyholder --mapped-files  what to bind into its jail, a name a line

#include <openssl/crypto.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/keyholder/keyholder.h"
#include "daemon/keyholder/sandbox.h"
#include "daemon/sys/fd.h"
#include "daemon/sys/frame.h"
#include "daemon/sys/log.h"
#include "daemon/sys/mapped_files.h"
#include "daemon/sys/process_report.h"
#include "daemon/sys/sandbox.h"
#include "daemon/tls/openssl.h"

using namespace hooksmtpd;

namespace {

// OpenSSL puts the numbers of private keys here: memory that is locked where the kernel lets us (RLIMIT_MEMLOCK),
// between guard pages, and in no core file. Some 300 keys fit.
constexpr std::size_t kSecretMemory = 1024 * 1024;
constexpr std::size_t kSmallestSecret = 16;

keyholder::Keyholder::Start read_arguments(int argc, char** argv) {
  if (argc != 5 || std::string_view(argv[1]) != "--life" || std::string_view(argv[3]) != "--sandbox") {
    throw std::invalid_argument("it is hooksmtpd that starts this program");
  }
  return {.log = sys::Log::to_pipe(sys::Fd(2)),
          .control = sys::Fd(3),
          .life = sys::Fd(std::stoi(argv[2])),
          .key_files = sys::Fd(4)};
}

void report_to_supervisor(const sys::Fd& control, const sys::ProcessReport& report) {
  if (!sys::send_frame(control, sys::FrameKind::kReport, sys::as_body(report))) {
    throw std::runtime_error("the supervisor does not listen");
  }
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc == 2 && std::string_view(argv[1]) == "--mapped-files") {
    for (const std::string& name : sys::mapped_files()) std::puts(name.c_str());
    return std::fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
  }
  std::signal(SIGPIPE, SIG_IGN);
  keyholder::Keyholder::Start start = read_arguments(argc, argv);
  tls::start_openssl();
  if (CRYPTO_secure_malloc_init(kSecretMemory, kSmallestSecret) == 0) {
    throw std::runtime_error("no memory for private keys");
  }
  report_to_supervisor(start.control, sys::enter_sandbox(keyholder::sandbox(), sys::parse_own_layers(argv[4])));
  return keyholder::Keyholder(std::move(start)).run();
} catch (const std::exception& error) {
  std::fprintf(stderr, "<3>keyholder: %s\n", error.what());
  return EXIT_FAILURE;
}

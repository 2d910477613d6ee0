// The worker: SMTP with whoever connects, JSON lines with the hooks. Started by its keeper, again and again if need be;
// never root, and the only program here that reads from the network.
//
//   worker --life N --isolation LEVEL --sandbox LAYERS FD=LISTENER...
//                                                       descriptors: 2 the log, 3 the supervisor, 4 the spool folder
//   worker --mapped-files                              what to bind into its jail, a name a line

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/sys/fd.h"
#include "daemon/sys/frame.h"
#include "daemon/sys/log.h"
#include "daemon/sys/mapped_files.h"
#include "daemon/sys/process_report.h"
#include "daemon/sys/sandbox.h"
#include "daemon/tls/openssl.h"
#include "daemon/worker/sandbox.h"
#include "daemon/worker/worker.h"

using namespace hooksmtpd;

namespace {

struct Arguments {
  worker::Worker::Start start;
  sys::OwnLayers layers;
};

Arguments read_arguments(int argc, char** argv) {
  sys::OwnLayers layers;
  worker::Worker::Start start{
      .log = sys::Log::to_pipe(sys::Fd(2)), .control = sys::Fd(3), .life = {}, .spool = sys::Fd(4), .listeners = {}};
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--life" && i + 1 < argc) {
      start.life.reset(std::stoi(argv[++i]));
      continue;
    }
    if (argument == "--isolation" && i + 1 < argc) {
      start.isolation = argv[++i];
      continue;
    }
    if (argument == "--sandbox" && i + 1 < argc) {
      layers = sys::parse_own_layers(argv[++i]);
      continue;
    }
    const std::size_t equals = argument.find('=');
    if (equals == std::string::npos) throw std::invalid_argument("usage: worker --life N FD=LISTENER...");
    start.listeners.emplace_back(sys::Fd(std::stoi(argument.substr(0, equals))), argument.substr(equals + 1));
  }
  if (!start.life.valid()) throw std::invalid_argument("it is hooksmtpd that starts this program");
  return {.start = std::move(start), .layers = layers};
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
  std::signal(SIGXFSZ, SIG_IGN);  // a message larger than the spool may be (RLIMIT_FSIZE) is an error of write(2)
  tzset();                        // reads /etc/localtime
  tls::start_openssl();
  auto [start, layers] = read_arguments(argc, argv);
  report_to_supervisor(start.control, sys::enter_sandbox(worker::sandbox(start.spool), layers));
  return worker::Worker(std::move(start)).run();
} catch (const std::exception& error) {
  std::fprintf(stderr, "<3>worker: %s\n", error.what());
  return EXIT_FAILURE;
}

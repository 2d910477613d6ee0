#include "tests/bench/load/options.h"

#include <CLI/CLI.hpp>
#include <cstdlib>

namespace hooksmtpd::bench {

Options parse_options(int argc, char** argv) {
  Options options;
  CLI::App app("A closed-loop SMTP load generator that checks every reply; loopback only. Prints one JSON object.");
  app.add_option("--port", options.port, "of the server on 127.0.0.1")->required();
  app.add_option("--connections", options.connections)->check(CLI::PositiveNumber);
  app.add_option("--messages", options.messages, "a connection; 0: EHLO and QUIT only")->check(CLI::NonNegativeNumber);
  app.add_option("--size", options.size, "octets of a message");
  app.add_option("--rate", options.rate, "at most so many connections a second");
  CLI::Option* pipelining = app.add_flag("--pipelining", options.pipelining, "MAIL, RCPT and DATA in one write");
  app.add_option("--recipients", options.recipients, "of a message")->check(CLI::PositiveNumber)->needs(pipelining);
  CLI::Option* tls = app.add_flag("--tls", options.tls, "TLS from the first octet on");
  app.add_flag("--resume", options.resume, "resume the TLS session of the connection before")->needs(tls);
  app.add_option("--seconds", options.seconds);
  app.add_option("--warm-up", options.warm_up, "seconds before the measurement");
  app.add_option("--server-pid", options.server_pid, "the head of the process tree to measure")->required();
  app.add_option("--control-group", options.control_group, "folder: take the CPU time from here");
  app.add_option("--idle", options.idle, "hold so many connections instead");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error));
  }
  return options;
}

}  // namespace hooksmtpd::bench

// The one frame that a process reads that is still root: a keeper's report. Whatever else a keeper says first, the
// start ends.

#include <unistd.h>

#include <array>
#include <cassert>
#include <cstdint>
#include <string>

#include "daemon/launcher/keepers.h"
#include "daemon/launcher/start_error.h"
#include "daemon/sys/pair.h"
#include "tests/fuzz/packets.h"

using namespace hooksmtpd;

namespace {

bool is_report(const fuzz::Packet& packet) {
  const std::string header = fuzz::with_header(static_cast<std::uint32_t>(sys::FrameKind::kReport),
                                               std::string(sizeof(sys::ProcessReport), '\0'));
  return packet.descriptors == 0 && packet.octets.size() == header.size() &&
         packet.octets.starts_with(header.substr(0, header.size() - sizeof(sys::ProcessReport)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const launcher::KeeperPlan plan{};
  for (const fuzz::Packet& packet : fuzz::packets_of(data, size)) {
    sys::SocketPair control = sys::make_socket_pair();
    sys::Pipe complaint = sys::make_pipe();
    complaint.write.reset();  // it has none
    const std::array descriptors{0};
    fuzz::send(control.theirs, packet, descriptors);
    control.theirs.reset();
    // No child of ours, so there is nobody to wait for.
    const launcher::StartedKeeper keeper{
        .pid = ::getpid(), .control = std::move(control.ours), .complaint = std::move(complaint.read)};
    try {
      const sys::ProcessReport report = launcher::await_keeper(keeper, plan);
      assert(is_report(packet) && packet.octets.ends_with(sys::as_body(report)));
    } catch (const launcher::StartError&) {
      assert(!is_report(packet));
    }
  }
  return 0;
}

// What the supervisor might say to a keeper: it means one order in the state that the keeper is in, or none, which ends
// the keeper. The order itself is not carried out: nobody wants a fuzzer to choose what is executed.

#include "daemon/keeper/order.h"

#include <array>
#include <cassert>
#include <cstdint>
#include <string>

#include "daemon/sys/pair.h"
#include "tests/fuzz/packets.h"

using namespace hooksmtpd;
using keeper::State;

namespace {

// A keeper's states go round as the packets come: the choice says what has happened to the child meanwhile.
class Child {
 public:
  State state() const { return state_; }
  void goes_on(unsigned choice) {
    if (state_ == State::kRunning && (choice & 1U) != 0) state_ = State::kEnding;
    if (state_ == State::kEnding && (choice & 2U) != 0) state_ = State::kIdle;
  }
  void starts() {
    assert(state_ == State::kIdle && "a second child");
    state_ = State::kRunning;
  }

 private:
  State state_ = State::kIdle;
};

// The arguments are those that came, all of them, and each is one for execve(2).
void check(const keeper::StartChild& order, const sys::Frame& frame) {
  assert(frame.kind == sys::FrameKind::kStart && !order.argv.empty());
  std::string again;
  for (const std::string& argument : order.argv) {
    assert(!argument.contains('\0'));
    again.append(argument).push_back('\0');
  }
  assert(again == frame.body);
}

void check(const keeper::StopChild& order, const sys::Frame& frame) {
  assert(frame.kind == sys::FrameKind::kStop);
  assert(order.grace.count() >= 0 && order.grace.count() <= UINT32_MAX);
}

void check(const keeper::ReleaseListeners&, const sys::Frame& frame) { assert(frame.kind == sys::FrameKind::kRelease); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const sys::SocketPair control = sys::make_socket_pair();
  Child child;
  for (const fuzz::Packet& packet : fuzz::packets_of(data, size)) {
    child.goes_on(packet.choice);
    const std::array descriptors{0};
    if (!fuzz::send(control.ours, packet, descriptors)) continue;
    const auto frame = sys::receive_frame(control.theirs, sys::Sender::kSupervisor);
    if (!frame) return 0;  // that keeper has ended
    const auto order = keeper::order_of(*frame, child.state());
    if (!order) return 0;
    assert(frame->fds.empty());
    std::visit([&](const auto& one) { check(one, *frame); }, *order);
    if (std::holds_alternative<keeper::StartChild>(*order)) child.starts();
  }
  return 0;
}

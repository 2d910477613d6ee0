#include "daemon/launcher/frame_link.h"

#include <sys/socket.h>

namespace hooksmtpd::launcher {
namespace {

// Enough for every hook's kHook a few times over; each may hold three descriptors.
constexpr std::size_t kMaxWaiting = 512;
// So that one talkative peer does not keep the others waiting. What is left is read in the next turn.
constexpr int kFramesPerTurn = 64;

}  // namespace

std::string_view to_string(FrameLink::Loss loss) {
  switch (loss) {
    case FrameLink::Loss::kClosed:
      return "it closed its control socket";
    case FrameLink::Loss::kBrokenFrame:
      return "it sent a bad frame";
    case FrameLink::Loss::kDoesNotRead:
      return "it does not read its control socket";
  }
  return "?";
}

FrameLink::FrameLink(Loop& loop, sys::Sender peer, Events events)
    : events_(std::move(events)), peer_(peer), watch_(loop, [this](short revents) { ready(revents); }) {}

void FrameLink::open(sys::Fd socket) {
  close();
  socket_ = std::move(socket);
  watch_.start(socket_.get(), POLLIN);
}

void FrameLink::close() {
  watch_.stop();
  waiting_.clear();
  overflow_ = false;
  socket_.reset();
}

void FrameLink::send(sys::FrameKind kind, std::string_view body, std::vector<sys::Fd> fds) {
  if (!is_open() || overflow_) return;
  Waiting frame{.kind = kind, .body = std::string(body), .fds = std::move(fds)};
  if (waiting_.empty() && put(frame)) return;
  if (waiting_.size() == kMaxWaiting) {
    // Told by the loop, as any other loss: no caller of send() finds the link gone under its feet.
    overflow_ = true;
    ::shutdown(socket_.get(), SHUT_RDWR);
    return;
  }
  waiting_.push_back(std::move(frame));
  watch_.start(socket_.get(), POLLIN | POLLOUT);
}

bool FrameLink::put(const Waiting& frame) {
  std::vector<int> numbers;
  for (const sys::Fd& fd : frame.fds) numbers.push_back(fd.get());
  const auto sent = sys::send_frame(socket_, frame.kind, frame.body, numbers);
  if (sent || sent.error() != sys::FrameError::kWouldBlock) return true;  // if it is lost, reading tells
  return false;
}

void FrameLink::flush() {
  while (!waiting_.empty() && put(waiting_.front())) waiting_.pop_front();
  if (waiting_.empty()) watch_.start(socket_.get(), POLLIN);
}

void FrameLink::ready(short revents) {
  if ((revents & POLLOUT) != 0) flush();
  if ((revents & ~POLLOUT) != 0) read_now();
}

void FrameLink::read_now() {
  for (int i = 0; i < kFramesPerTurn && is_open(); ++i) {
    auto frame = sys::receive_frame(socket_, peer_);
    if (!frame) {
      if (frame.error() == sys::FrameError::kWouldBlock) return;
      return lose(frame.error() == sys::FrameError::kBroken ? Loss::kBrokenFrame : Loss::kClosed);
    }
    if (!events_.frame(std::move(*frame)) && is_open()) return lose(Loss::kBrokenFrame);
  }
}

void FrameLink::lose(Loss loss) {
  if (overflow_) loss = Loss::kDoesNotRead;
  close();
  events_.lost(loss);
}

}  // namespace hooksmtpd::launcher

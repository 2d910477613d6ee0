// The keyholder, which alone has the private keys, its keeper, and what the supervisor says to it: which keys to load,
// and who may ask for signatures.
//
// It is down for moments only; meanwhile the worker offers no TLS and everything else goes on.

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "config/config.h"
#include "daemon/launcher/loop.h"
#include "daemon/launcher/own_process.h"
#include "daemon/launcher/surroundings.h"
#include "daemon/launcher/tree.h"

namespace hooksmtpd::launcher {

// What it thinks of a configuration's keys.
struct KeysVerdict {
  enum class Kind : std::uint8_t { kOk, kRefused, kUnavailable };  // kUnavailable: there was nobody to ask
  Kind kind;
  std::string text;  // sentences, one a line; of kOk: notes, or empty
};

class KeyholderOwner {
 public:
  virtual void keyholder_serving() = 0;  // it has the keys of the current configuration, and no client yet
  // The keys of the current configuration cannot be used, though it was checked before. It stays, and may be asked
  // about another one.
  virtual void keyholder_refuses(std::string_view text) = 0;
  virtual void keyholder_ended(const Exit& exit) = 0;
  virtual void keyholder_keeper_lost() = 0;

 protected:
  ~KeyholderOwner() = default;
};

class KeyholderPost {
 public:
  // `config` stays the current one: it is what each new keyholder gets.
  KeyholderPost(const Surroundings& surroundings, KeyholderOwner& owner, const config::Config& config, Slot slot);

  bool serving() const { return serving_; }
  // "serving", "loading keys", "backing off", ...
  std::string_view state() const;
  const OwnProcess& own() const { return own_; }

  void start() { own_.start(); }
  Loop::Milliseconds retry() { return own_.retry(); }
  void stop(Loop::Milliseconds grace);
  void keeper_ended(std::string_view why) { own_.keeper_ended(why); }

  using Answer = std::function<void(KeysVerdict)>;
  // Has it load the keys of another configuration; those of the current one stay in use, too. One at a time: a second
  // question is answered kUnavailable. `answer` is called once, perhaps at once.
  void try_keys(const config::Config& config, Answer answer);
  // Whoever has the other end of `socket` may ask for signatures.
  void give_client(sys::Fd socket);
  // Somebody waited for a signature in vain: kill it, and start another one.
  void does_not_answer(std::string_view why) { own_.lose(why); }

 private:
  bool keys(const sys::Keys& keys, std::string_view text);
  void answer(KeysVerdict verdict);
  void load_current();

  KeyholderOwner& owner_;
  const config::Config& config_;
  bool ready_ = false;    // it has reported, and takes questions
  bool serving_ = false;  // it has the keys of the current configuration
  Answer answer_;         // of try_keys(), while it is out
  bool out_ = false;      // a kConfig is: kKeys is awaited
  Timer keys_late_;
  OwnProcess own_;
};

}  // namespace hooksmtpd::launcher

// How Tcl waits for events here: in poll(2), in the thread that waits.
//
// Tcl's own notifier waits in a thread of its own, so that each time something happens the processor goes from thread
// to thread and back, which costs more than most callbacks. Nor does it take descriptors above 1023.

#pragma once

namespace hooksmtpd::tcl {

// Before anything else of Tcl.
void use_own_notifier();

}  // namespace hooksmtpd::tcl

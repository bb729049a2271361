#include "runtime/main/Profiler.h"

#include "runtime/cpu/TimeStamp.h"
#include "runtime/main/Console.h"

#include <cerrno>
#include <cstring>

namespace moire {

int Profiler::check(const Program &program) {
  if (program.options.trace().empty() || program.info.profiled)
    return kDone;
  return complain(kUnsupported, "--trace: this program has no time stamps; compile the model again "
                                "with `moire compile MODEL --profile`");
}

Profiler::Profiler(std::vector<ProfiledRegion> regions, std::string tracePath)
    : profile(std::move(regions)), tracePath(std::move(tracePath)), startCycles(timeStamp()),
      startSeconds(seconds()) {}

Profiler::~Profiler() {
  if (traceFile)
    fclose(traceFile);
}

int Profiler::attach(Program &program) {
  if (!program.profiler) {
    program.profiler.reset(new Profiler(program.metadata.profile, program.options.trace()));
    if (int code = program.profiler->createTrace())
      return code;
  }
  auto observe = [](void *profile, const moire_observation *step) {
    static_cast<Profile *>(profile)->add(*step);
  };
  moire_status status = moire_state_observe(program.state, observe, &program.profiler->profile);
  return status == MOIRE_OK ? kDone : program.complainAboutState(status);
}

int Profiler::createTrace() {
  if (tracePath.empty())
    return kDone;
  traceFile = fopen(tracePath.c_str(), "w");
  return traceFile ? kDone
                   : complain(kFailed, tracePath + ": cannot be created: " + strerror(errno));
}

int Profiler::report(int code) {
  // What a cycle of the counter takes is measured: the processor need not say.
  const double rate = static_cast<double>(timeStamp() - startCycles) / (seconds() - startSeconds);
  fputs(profile.table(rate, limits).c_str(), stderr);
  if (!traceFile)
    return code;
  bool written = fputs(profile.trace(rate).c_str(), traceFile) >= 0;
  written &= fclose(traceFile) == 0;
  traceFile = nullptr;
  return written ? code
                 : complain(kOutOfResources, tracePath + ": cannot be written: " + strerror(errno));
}

} // namespace moire

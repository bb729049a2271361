// A compiled program at work: the opened model, what its file says about it, and the options.

#ifndef MOIRE_RUNTIME_MAIN_PROGRAM_H
#define MOIRE_RUNTIME_MAIN_PROGRAM_H

#include "runtime/Memory.h"
#include "runtime/Metadata.h"
#include "runtime/main/Options.h"
#include "runtime/moire.h"
#include "runtime/text/Tokenizer.h"

#include <memory>
#include <string>
#include <vector>

namespace moire {

class Profiler;

class Program {
public:
  Options options;
  moire_model *model = nullptr;
  moire_state *state = nullptr;
  moire_info info = {};
  Metadata metadata;
  Tokenizer tokenizer;
  std::unique_ptr<Profiler> profiler; // of a program that was compiled with --profile, with a state
  std::string noTokenizer;            // why there is none; empty when there is one

  Program();
  ~Program();
  Program(const Program &) = delete;
  Program &operator=(const Program &) = delete;

  /// Opens the running executable. Returns an exit code, after a complaint if it is not kDone.
  int open();

  /// The bytes of a section; empty when there is none of that name.
  std::span<const uint8_t> section(std::string_view name) const;

  /// Creates `state`, in the place of one that there was. Exit code as `open`.
  int createState(const moire_state_options &wanted);
  /// … with --threads, --ctx and one slot, for steps of up to `mostTokens` tokens.
  int createState(int64_t mostTokens);

  /// With --profile: what the next steps are counted as; "": they are not counted.
  void countStepsAs(const std::string &name);

  /// Complains unless there is a tokenizer. Exit code as `open`.
  int needTokenizer() const;

  /// The context of the state: --ctx or the model's.
  int64_t context() const { return options.context ? options.context : info.context; }

  /// Appends tokens to slot 0 in pieces of --chunk. `logits` [vocab] may be null. Exit code as
  /// `open`; kInterrupted, without a complaint, after Ctrl-C.
  int feed(std::span<const int32_t> tokens, float *logits);

  /// Complains with the state's message about a call that failed.
  int complainAboutState(moire_status status) const;
};

/// An aligned array of floats, taken from the system as it is written.
class FloatBuffer {
public:
  /// Exit code as Program::open; the complaint advises to lower the option `less`.
  int allocate(uint64_t count, const char *less = "--chunk");
  float *data() const { return reinterpret_cast<float *>(memory.data()); }

private:
  LazyMemory memory;
};

} // namespace moire

#endif

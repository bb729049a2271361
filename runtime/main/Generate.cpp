// Continuing a prompt, as text, ids or JSON.

#include "runtime/Format.h"
#include "runtime/Json.h"
#include "runtime/main/Console.h"
#include "runtime/main/LogitsFile.h"
#include "runtime/main/Modes.h"
#include "runtime/main/Prompt.h"
#include "runtime/text/Sampler.h"
#include "runtime/text/Utf8Stream.h"

#include <algorithm>
#include <cstdio>

#include <sys/random.h>

namespace moire {

namespace {
constexpr int64_t kDefaultLength = 512;

SamplerOptions samplerOptions(const Options &options) {
  SamplerOptions sampling;
  sampling.temperature = options.temperature;
  sampling.top_k = options.topK;
  sampling.top_p = options.topP;
  sampling.min_p = options.minP;
  if (options.seed)
    sampling.seed = *options.seed;
  else if (getrandom(&sampling.seed, sizeof sampling.seed, 0) == sizeof sampling.seed)
    sampling.seed >>= 1; // so that --seed can repeat what --json reports
  return sampling;
}

// How many experts a token has in each layer: what the metadata says, if it fits the code.
int routeShape(const Program &program, std::vector<int64_t> &route) {
  const moire_info &info = program.info;
  if (!info.route_width)
    return kDone;
  route = program.metadata.route;
  bool fits = static_cast<int64_t>(route.size()) == info.layers;
  for (int64_t experts : route)
    fits &= experts <= info.route_width;
  return fits ? kDone
              : complain(kBadInput,
                         "this program's metadata does not fit its code: \"route\" is not "
                         "the number of experts of each layer");
}

// Feeds the prompt like Program::feed and keeps the logits of all of its tokens in --logits.
int feedKeepingLogits(Program &program, const std::vector<int32_t> &prompt, float *lastLogits) {
  const Options &options = program.options;
  const moire_info &info = program.info;
  const int64_t count = static_cast<int64_t>(prompt.size());
  const int64_t chunk = std::min(options.chunk, count);
  LogitsFile file;
  FloatBuffer logits, taps, routeIds, routeWeights;
  const int64_t layers = info.layers, width = info.route_width;
  LogitsShape shape{count, info.vocab, layers, info.tapped ? info.hidden : 0, {}};
  if (int code = routeShape(program, shape.route))
    return code;
  if (int code = file.create(options.logitsFile, shape))
    return code;
  if (int code = logits.allocate(chunk * info.vocab))
    return code;
  if (int code = info.tapped ? taps.allocate((layers + 1) * chunk * info.hidden) : kDone)
    return code;
  for (FloatBuffer *buffer : {&routeIds, &routeWeights})
    if (int code = width ? buffer->allocate(layers * chunk * width) : kDone)
      return code;
  auto *ids = reinterpret_cast<int32_t *>(routeIds.data()); // of the same size
  std::vector<int32_t> rows(chunk);
  for (int64_t i = 0; i < chunk; ++i)
    rows[i] = static_cast<int32_t>(i);

  Progress progress("logits", count);
  for (int64_t done = 0; done < count; done += chunk) {
    if (interrupted())
      return kInterrupted;
    moire_batch batch = {};
    batch.tokens = prompt.data() + done;
    batch.token_count = batch.row_count = std::min(chunk, count - done);
    batch.rows = rows.data();
    batch.logits = logits.data();
    batch.taps = info.tapped ? taps.data() : nullptr;
    batch.route_ids = width ? ids : nullptr;
    batch.route_weights = width ? routeWeights.data() : nullptr;
    if (moire_status status = moire_step_run(program.state, &batch); status != MOIRE_OK)
      return program.complainAboutState(status);
    if (int code = file.writeLogits(done, batch.row_count, logits.data()))
      return code;
    if (int code = info.tapped ? file.writeHidden(done, batch.row_count, taps.data()) : kDone)
      return code;
    if (int code =
            width ? file.writeRoute(done, batch.row_count, width, ids, routeWeights.data()) : kDone)
      return code;
    std::copy_n(logits.data() + (batch.row_count - 1) * info.vocab, info.vocab, lastLogits);
    progress.show(done + batch.row_count);
  }
  return file.commit();
}

enum class Stop : uint8_t { Length, EndToken, Context, Interrupted };

const char *stopName(Stop stop) {
  switch (stop) {
  case Stop::Length:
    return "length";
  case Stop::EndToken:
    return "end-token";
  case Stop::Context:
    return "context";
  case Stop::Interrupted:
    return "interrupted";
  }
  __builtin_unreachable();
}

// The answer as it grows: printed at once, or kept for the JSON object.
class Answer {
public:
  explicit Answer(const Program &program) : program(program) {}

  void add(int32_t id) {
    ids.push_back(id);
    if (program.noTokenizer.empty() && !program.tokenizer.isSpecial(id)) {
      std::string bytes;
      program.tokenizer.decode(id, bytes);
      characters.feed(bytes, text);
    }
    show();
  }

  void finish() {
    characters.flush(text);
    show();
    bool printed = !program.options.json && !ids.empty();
    if (printed && (program.options.printIds || text.empty() || text.back() != '\n'))
      print("\n");
  }

  std::vector<int32_t> ids;
  std::string text;

private:
  void show() {
    if (program.options.json)
      return;
    if (program.options.printIds) {
      for (; shown < ids.size(); ++shown)
        print(format(shown ? ",%d" : "%d", ids[shown]));
    } else {
      print(std::string_view(text).substr(shown));
      shown = text.size();
    }
    fflush(stdout);
  }

  const Program &program;
  Utf8Stream characters;
  size_t shown = 0; // ids or bytes of the text
};

struct Timing {
  int64_t promptTokens = 0;
  double promptSeconds = 0;
  int64_t steps = 0; // of one token each
  double stepSeconds = 0;
  double promptRate() const { return promptSeconds > 0 ? promptTokens / promptSeconds : 0; }
  double stepRate() const { return stepSeconds > 0 ? steps / stepSeconds : 0; }
};

// Samples and steps until something ends the answer. `logits` holds those of the prompt's last
// token.
int answerPrompt(Program &program, Sampler &sampler, int64_t most, float *logits, Answer &answer,
                 Stop &stop, Timing &timing) {
  stop = Stop::Length;
  while (static_cast<int64_t>(answer.ids.size()) < most) {
    if (interrupted()) {
      stop = Stop::Interrupted;
      return kDone;
    }
    int32_t id = sampler.sample({logits, static_cast<size_t>(program.info.vocab)});
    if (id < 0)
      return complain(kFailed, format("the model computed no finite logits after %zu tokens",
                                      answer.ids.size()));
    if (!program.options.printIds && endsAnswer(program, id)) {
      stop = Stop::EndToken;
      return kDone;
    }
    answer.add(id);
    if (static_cast<int64_t>(answer.ids.size()) == most)
      return kDone;
    if (moire_slot_length(program.state, 0) == program.context()) {
      stop = Stop::Context;
      return kDone;
    }
    double start = seconds();
    moire_status status = moire_feed(program.state, 0, &id, 1, 0, logits);
    if (status != MOIRE_OK)
      return program.complainAboutState(status);
    timing.stepSeconds += seconds() - start;
    ++timing.steps;
  }
  return kDone;
}

void printJson(const Answer &answer, Stop stop, const SamplerOptions &sampling,
               const Timing &timing) {
  JsonWriter json;
  json.beginObject().key("text").string(answer.text);
  json.key("ids").beginArray();
  for (int32_t id : answer.ids)
    json.integer(id);
  json.endArray().key("stop").string(stopName(stop));
  if (sampling.temperature > 0)
    json.key("seed").integer(static_cast<int64_t>(sampling.seed));
  json.key("prompt_tokens").integer(timing.promptTokens);
  json.key("prompt_seconds").real(timing.promptSeconds);
  json.key("generation_steps").integer(timing.steps);
  json.key("generation_seconds").real(timing.stepSeconds);
  json.key("prompt_tokens_per_second").real(timing.promptRate());
  json.key("generation_tokens_per_second").real(timing.stepRate());
  print(json.endObject().text + "\n");
}
} // namespace

int runGenerate(Program &program) {
  const Options &options = program.options;
  const bool keepLogits = !options.logitsFile.empty();
  const int64_t most = options.generate.value_or(keepLogits ? 0 : kDefaultLength);
  if (most && !options.printIds)
    if (int code = program.needTokenizer())
      return code;
  std::vector<int32_t> prompt;
  if (int code = readPrompt(program, prompt))
    return code;
  const int64_t count = static_cast<int64_t>(prompt.size());
  if (count > program.context())
    return complain(kOutOfResources,
                    format("the prompt has %lld tokens, the context %lld; %s",
                           static_cast<long long>(count), static_cast<long long>(program.context()),
                           program.context() < program.info.context
                               ? "raise --ctx"
                               : "that is all that the model was made for"));
  FloatBuffer logits;
  if (int code = logits.allocate(program.info.vocab))
    return code;
  if (int code = program.createState(std::min(options.chunk, count)))
    return code;

  Timing timing;
  timing.promptTokens = count;
  program.countStepsAs("prompt");
  double start = seconds();
  int code = keepLogits ? feedKeepingLogits(program, prompt, logits.data())
                        : program.feed(prompt, logits.data());
  if (code != kDone)
    return code;
  timing.promptSeconds = seconds() - start;

  program.countStepsAs("generation");
  SamplerOptions sampling = samplerOptions(options);
  Sampler sampler(sampling);
  Answer answer(program);
  Stop stop;
  code = answerPrompt(program, sampler, most, logits.data(), answer, stop, timing);
  answer.finish();
  if (code != kDone)
    return code;
  if (options.json)
    printJson(answer, stop, sampling, timing);
  code = finishOutput();
  if (stop == Stop::Context)
    note(format("the context of %lld tokens is full", static_cast<long long>(program.context())));
  if (options.timings || options.json)
    fprintf(stderr, "prompt: %lld tokens, %.1f tokens/s; generation: %lld tokens, %.1f tokens/s\n",
            static_cast<long long>(count), timing.promptRate(),
            static_cast<long long>(timing.steps), timing.stepRate());
  return code == kDone && stop == Stop::Interrupted ? static_cast<int>(kInterrupted) : code;
}

} // namespace moire

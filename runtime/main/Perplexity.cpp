// How well the model predicts a text.

#include "runtime/Format.h"
#include "runtime/Json.h"
#include "runtime/Math.h"
#include "runtime/main/Console.h"
#include "runtime/main/LogitsFile.h"
#include "runtime/main/Modes.h"

#include <algorithm>

namespace moire {

namespace {
// -log softmax(logits)[target], in double precision. The sum has eight partial sums in a fixed
// order: the same result everywhere, and a loop that vectorizes.
double negativeLogLikelihood(const float *logits, int64_t vocab, int32_t target) {
  constexpr int64_t kLanes = 8;
  float largest = logits[0];
  for (int64_t i = 1; i < vocab; ++i)
    largest = logits[i] > largest ? logits[i] : largest;
  double sums[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= vocab; i += kLanes)
    for (int64_t lane = 0; lane < kLanes; ++lane)
      sums[lane] += exponential(static_cast<double>(logits[i + lane]) - largest);
  for (; i < vocab; ++i)
    sums[i % kLanes] += exponential(static_cast<double>(logits[i]) - largest);
  double sum = 0;
  for (double part : sums)
    sum += part;
  return logarithm(sum) + largest - logits[target];
}

int readTokens(const Program &program, std::vector<int32_t> &ids) {
  std::string text, error;
  if (!readFile(program.options.perplexityFile, text, error))
    return complain(kBadInput, error);
  ids = program.tokenizer.encode("", true); // BOS, where the model wants one
  // The text is a text: what looks like a control token in it is none.
  std::vector<int32_t> words = program.tokenizer.encode(text, false);
  ids.insert(ids.end(), words.begin(), words.end());
  if (ids.size() < 2)
    return complain(kBadInput, format("%s has %zu tokens; there is nothing to predict",
                                      program.options.perplexityFile.c_str(), ids.size()));
  return kDone;
}

int report(const Program &program, const std::vector<int32_t> &ids,
           const std::vector<double> &scores) {
  double sum = 0;
  for (double score : scores)
    sum += score;
  const double mean = sum / static_cast<double>(scores.size());
  if (program.options.json) {
    JsonWriter json;
    json.beginObject().key("tokens").integer(ids.size()).key("scored").integer(scores.size());
    json.key("mean_nll").real(mean).key("perplexity").real(exponential(mean));
    json.key("nll").beginArray();
    for (double score : scores)
      json.real(score);
    json.endArray().key("ids").beginArray();
    for (int32_t id : ids)
      json.integer(id);
    print(json.endArray().endObject().text + "\n");
  } else {
    print(format("perplexity %.4f over %zu tokens (mean -log p %.6f)\n", exponential(mean),
                 scores.size(), mean));
  }
  return finishOutput();
}
} // namespace

int runPerplexity(Program &program) {
  std::vector<int32_t> ids;
  if (int code = program.needTokenizer())
    return code;
  if (int code = readTokens(program, ids))
    return code;
  const int64_t count = static_cast<int64_t>(ids.size()), window = program.context();
  const int64_t chunk = std::min({program.options.chunk, count, window});
  const int64_t vocab = program.info.vocab;
  FloatBuffer logits;
  if (int code = logits.allocate(chunk * vocab))
    return code;
  if (int code = program.createState(chunk))
    return code;
  const int64_t windows = (count - 1) / window + 1;
  LogitsFile file;
  const bool keepLogits = !program.options.logitsFile.empty();
  if (keepLogits) {
    // The last token of a window predicts nothing that is scored.
    LogitsShape shape;
    shape.tokens = count - windows;
    shape.vocab = vocab;
    if (int code = file.create(program.options.logitsFile, shape))
      return code;
  }
  if (count > window)
    note(format("%lld tokens are scored in %lld windows of %lld, the context",
                static_cast<long long>(count), static_cast<long long>(windows),
                static_cast<long long>(window)));

  std::vector<double> scores; // -log p of every token that has one before it in its window
  std::vector<int32_t> rows(chunk);
  for (int64_t i = 0; i < chunk; ++i)
    rows[i] = static_cast<int32_t>(i);
  Progress progress("perplexity", count);
  for (int64_t done = 0; done < count;) {
    if (interrupted())
      return kInterrupted;
    if (done % window == 0)
      moire_slot_reset(program.state, 0);
    int64_t windowEnd = std::min(count, done / window * window + window);
    int64_t piece = std::min(chunk, windowEnd - done);
    moire_batch batch = {};
    batch.tokens = ids.data() + done;
    batch.token_count = piece;
    batch.rows = rows.data();
    batch.row_count = done + piece == windowEnd ? piece - 1 : piece;
    batch.logits = logits.data();
    if (moire_status status = moire_step_run(program.state, &batch); status != MOIRE_OK)
      return program.complainAboutState(status);
    if (keepLogits)
      if (int code =
              file.writeLogits(static_cast<int64_t>(scores.size()), batch.row_count, logits.data()))
        return code;
    for (int64_t i = 0; i < batch.row_count; ++i)
      scores.push_back(negativeLogLikelihood(logits.data() + i * vocab, vocab, ids[done + i + 1]));
    done += piece;
    progress.show(done);
  }

  if (keepLogits)
    if (int code = file.commit())
      return code;
  return report(program, ids, scores);
}

} // namespace moire

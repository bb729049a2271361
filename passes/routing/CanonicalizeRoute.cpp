// -moe-canonicalize-route: see passes/Passes.td.

#include "passes/Passes.h"

#include "dialects/moe/Moe.h"
#include "dialects/moe/Remarks.h"

namespace mlir::moe {

#define GEN_PASS_DEF_CANONICALIZEROUTE
#include "passes/Passes.h.inc"

static bool hasGroups(RouteOp route) {
  return route.getGroups() != 1 || route.getGroupScore() != GroupScore::Max;
}

/// Why the groups cannot go, or an empty string when they can.
static StringRef whyNotDropGroups(RouteOp route) {
  if (route.getGroupLimit() == route.getGroups())
    return "";
  // By their best expert: each group before that of an expert holds an expert that comes before it
  // (with equal scores, too: it is the group with the lower numbers). So fewer than k groups come
  // before the group of one of the best k experts.
  if (route.getGroupScore() == GroupScore::Max &&
      static_cast<int64_t>(route.getGroupLimit()) >= route.getChosen())
    return "";
  return "the limit of groups can exclude an expert";
}

/// Whether what is added to the divisor is lost in its rounding, given that the sum of the weights
/// is `sum` or more: less than half of the last place of any such number.
static bool isLost(const APFloat &extra, double sum) {
  return extra.convertToDouble() < sum * 0x1p-25;
}

/// Why the weights are no softmax of the chosen logits, or an empty string when they are.
static StringRef whyNotSoftmaxOfChosen(RouteOp route) {
  if (route.getScoring() == Scoring::Sigmoid)
    return "the scores are not a softmax";
  if (!route.getNormalize())
    return "the weights are not normalized";
  bool chosenAlready = route.getScoring() == Scoring::SoftmaxChosen;
  if (!chosenAlready && route.getBias())
    return "the experts are chosen with a bias";
  if (!chosenAlready && hasGroups(route))
    return "the experts are chosen by groups";
  // The k largest of E scores that add up to 1 are k / E or more; a softmax of k adds up to 1,
  // but for its rounding.
  double sum = chosenAlready ? 0.5 : double(route.getChosen()) / route.getExperts();
  if (!isLost(*route.getNormalize(), sum))
    return "what is added to the divisor changes the weights";
  return "";
}

namespace {
struct CanonicalizeRoute : impl::CanonicalizeRouteBase<CanonicalizeRoute> {
  void runOnOperation() override {
    getOperation().walk([&](RouteOp route) {
      auto opts = remarkAbout(route, "CanonicalizeRoute", "routing");
      if (hasGroups(route)) {
        StringRef reason = whyNotDropGroups(route);
        if (reason.empty()) {
          remark::passed(route.getLoc(), opts) << "the groups are gone";
          route.setGroups(1);
          route.setGroupLimit(1);
          route.setGroupScore(GroupScore::Max);
        } else {
          remark::missed(route.getLoc(), opts) << ("the groups stay: " + reason).str();
        }
      }

      if (route.getScoring() == Scoring::SoftmaxChosen && !route.getNormalize())
        return;
      StringRef reason = whyNotSoftmaxOfChosen(route);
      if (!reason.empty()) {
        remark::missed(route.getLoc(), opts) << ("the scoring stays: " + reason).str();
        return;
      }
      remark::passed(route.getLoc(), opts) << "the weights are a softmax of the chosen logits now";
      route.setScoring(Scoring::SoftmaxChosen);
      route.removeNormalizeAttr();
    });
  }
};
} // namespace

} // namespace mlir::moe

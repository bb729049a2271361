//===- ExpertOps.td - Routing of tokens to experts, and the experts -------------------------------===//

def Moe_Scoring : I32EnumAttr<"Scoring", "What a router makes of its logits", [
    I32EnumAttrCase<"Softmax", 0, "softmax">,
    I32EnumAttrCase<"Sigmoid", 1, "sigmoid">,
    I32EnumAttrCase<"SoftmaxChosen", 2, "softmax_chosen">]> {
  let cppNamespace = "::mlir::moe";
}

def Moe_GroupScore : I32EnumAttr<"GroupScore", "How good a group of experts is", [
    I32EnumAttrCase<"Max", 0, "max">,
    I32EnumAttrCase<"Top2Sum", 1, "top2_sum">]> {
  let cppNamespace = "::mlir::moe";
  let genSpecializedAttr = 0;
}

def Moe_GroupScoreAttr : EnumAttr<Moe_Dialect, Moe_GroupScore, "group_score"> {
  let assemblyFormat = "`<` $value `>`";
}

def Moe_RouteOp : Moe_Op<"route", [AllShapesMatch<["ids", "weights"]>]> {
  let summary = "Chooses experts for each token, and their weights";
  let description = [{
    Of a token's `logits`, one for each of E experts, come the ids of k experts in the order of choice,
    and a weight for each:

    1. The logits are made finite: a NaN becomes -FLT_MAX, and all are clamped to -FLT_MAX .. FLT_MAX.
    2. The scores are the softmax of the E logits (`softmax`), 1 / (1 + exp(-logit)) (`sigmoid`), or
       the logits themselves (`softmax_chosen`).
    3. The choices are the scores plus `bias`, made finite as the logits are.
    4. With `groups`, each E / groups experts that follow one another are a group. Its score is the
       largest of its choices (`max`), or the sum of the two largest (`top2_sum`). Only experts of the
       `group_limit` groups with the largest scores can be chosen.
    5. k times the expert with the largest choice is taken that was not yet.
    6. An expert's weight is its score (without the bias); with `softmax_chosen` the softmax of the k
       chosen logits. With `normalize`, it is divided by the sum of the k weights plus `normalize` (a
       divisor of 0 leaves weights of 0). At last it is multiplied by `scaling`.

    Of equal groups and of equal experts the one with the lowest number is first, so that the result
    is defined, and the ids of a row are different, whatever the logits are.

    ```mlir
    %ids, %weights = moe.route softmax %logits {normalize = 0.0 : f64}
      : tensor<?x16xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
    %ids8, %weights8 = moe.route sigmoid %logits bias %b
      {groups = 4 : i64, group_limit = 2 : i64, group_score = #moe.group_score<top2_sum>,
       normalize = 1.0e-20 : f64, scaling = 2.5 : f64}
      : tensor<?x16xf32>, tensor<16xf32> -> tensor<?x8xi32>, tensor<?x8xf32>
    ```

    `softmax` is the router of Mixtral and Qwen (with `normalize` = 0) and of DeepSeek-MoE and OLMoE
    (without), `softmax_chosen` that of Granite, `sigmoid` with a bias that of DeepSeek-V3, whose rule
    for groups is `top2_sum`; DeepSeek-V2's is `max`.

    Constraints:
    * (C1) `ids` and `weights` have the rows of `logits`.
    * (C2) At least one expert is chosen, and no more than there are in the groups that can be chosen.
    * (C3) The bias is as long as a row of `logits`.
    * (C4) `groups` is positive and divides the number of experts; `group_limit` is positive and at
      most `groups`.
    * (C5) With `top2_sum`, there are at least two experts in a group.
    * (C6) `normalize` is not negative; it and `scaling` are finite as a f32.
  }];
  let arguments = (ins Moe_Scoring:$scoring, Moe_PlainRows:$logits, Optional<Moe_Vector>:$bias,
                       DefaultValuedAttr<I64Attr, "1">:$groups,
                       DefaultValuedAttr<I64Attr, "1">:$group_limit,
                       DefaultValuedAttr<Moe_GroupScoreAttr, "::mlir::moe::GroupScore::Max">:$group_score,
                       OptionalAttr<F64Attr>:$normalize,
                       DefaultValuedAttr<F64Attr, "::llvm::APFloat(1.0)">:$scaling);
  let results = (outs Moe_ChosenIds:$ids, Moe_PlainRows:$weights);
  let assemblyFormat = [{
    $scoring $logits (`bias` $bias^)? attr-dict
    `:` type($logits) (`,` type($bias)^)? `->` type($ids) `,` type($weights)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    int64_t getExperts() { return getLogits().getType().getDimSize(1); }
    /// Experts that each token goes to.
    int64_t getChosen() { return getIds().getType().getDimSize(1); }
  }];
}

def Moe_ExpertsOp : Moe_Op<"experts", [AllShapesMatch<["ids", "weights"]>]> {
  let summary = "The FFNs of the experts that each token was routed to";
  let description = [{
    result[t] = sum over j, in order, of weights[t, j] * (hidden(t, e) . down[e]), e = ids[t, j], where
    hidden(t, e) = f(x[t] . gate[e]) * (x[t] . up[e]) and "." is the product of `moe.linear`. Without
    a `gate` it is f(x[t] . up[e]): a plain FFN. The ids have to be numbers of experts, as those of
    `moe.route` are.

    `gated` (made by `fuse-gate-up`) says that the rows of each `up` are [gate | up], F of each.

    With `hidden`, the hidden rows are rounded to that storage, as `moe.quantize_rows` does, before
    they are multiplied with `down`.

    ```mlir
    %y = moe.experts silu %x to %ids weighted %w gate %g up %u down %d
      : tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<16x32x64xbf16>,
        tensor<16x32x64xbf16>, tensor<16x64x32xbf16> -> tensor<?x64xf32>
    %z = moe.experts silu %x to %ids weighted %w gated up %gu down %d8 {hidden = #moe.block<int8>}
      : tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<16x64x64xbf16>,
        tensor<16x64x32xf32, #moe.block<q8_0>> -> tensor<?x64xf32>
    ```

    Constraints:
    * (C1) `ids` and `weights` have the rows of `x`.
    * (C2) `gate`, `up` and `down` are matrices of the same number of experts.
    * (C3) The columns of `gate` and `up` are the width of `x`.
    * (C4) `down` has as many columns as a hidden row: as `up` and `gate` have rows, or, when `gated`,
      as half of the rows of `up`.
    * (C5) There is no `gate` when `gated`.
    * (C6) The result has the rows of `x` and is as wide as `down` has rows; it has no encoding.
    * (C7) An encoded `x` has an encoding for activations, and `gate` and `up` then have block encodings
      for weights, as with `moe.linear`.
    * (C8) `hidden` is an encoding for activations, a hidden row then a multiple of 32, and `down` has a
      block encoding for weights, as with `moe.linear`.
  }];
  let arguments = (ins Moe_Activation:$activation, Moe_Rows:$x, Moe_ChosenIds:$ids,
                       Moe_PlainRows:$weights, Optional<Moe_ExpertMatrices>:$gate,
                       Moe_ExpertMatrices:$up, Moe_ExpertMatrices:$down, UnitAttr:$gated,
                       OptionalAttr<Moe_BlockAttr>:$hidden);
  let results = (outs Moe_Rows:$result);
  let assemblyFormat = [{
    $activation $x `to` $ids `weighted` $weights (`gate` $gate^)? (`gated` $gated^)? `up` $up
    `down` $down attr-dict
    `:` custom<ExpertTypes>(type($x), type($ids), type($weights), type($gate), type($up), type($down))
    `->` type($result)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    int64_t getExperts() { return getUp().getType().getDimSize(0); }
    /// The width F of a hidden row.
    int64_t getHiddenWidth() { return getDown().getType().getDimSize(2); }
  }];
}

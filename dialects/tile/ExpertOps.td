//===- ExpertOps.td - Routing and the products of experts ------------------------------------------===//

def Tile_RouteOp : Tile_Kernel<"route"> {
  let summary = "Chooses k experts for each token, and their weights";
  let description = [{
    As `moe.route`, which says what is computed. `scratch` is private: the scores of a row, what is
    left to choose from, and the scores of groups, each padded to whole vectors.

    ```mlir
    tile.route rows softmax %logits scratch %s -> %ids, %weights
      : memref<?x12xf32> scratch memref<3x16xf32> -> memref<?x4xi32>, memref<?x4xf32>
    tile.route rows sigmoid %logits bias %b scratch %s -> %ids, %weights
      {group_limit = 2 : i64, group_score = 1 : i32, groups = 4 : i64, normalize = 1.0e-20 : f64}
      : memref<?x12xf32> bias memref<16xf32> scratch memref<3x16xf32> -> memref<?x4xi32>, memref<?x4xf32>
    ```

    Constraints:
    * (C1) There are as many rows of ids and of weights as of logits, and as many ids in one as weights.
    * (C2) At least one expert is chosen, and at most as many as there are.
    * (C3) The bias is at least as long as a row of logits.
    * (C4) `scratch` is [3, experts rounded up to 16].
    * (C5) `groups`, `group_limit` and `group_score` come together; the groups divide the experts; the limit is
      1 … groups, and that many groups hold as many experts as are chosen (two at least with `top2_sum`).
    * (C6) `split` is `rows` or `whole`.
  }];
  let arguments = (ins Tile_Split:$split, Tile_Scoring:$scoring, Tile_Rows:$logits,
                       Optional<Tile_Vector>:$bias, Tile_Rows:$scratch, Tile_Choices:$ids,
                       Tile_Rows:$weights, OptionalAttr<I64Attr>:$groups,
                       OptionalAttr<I64Attr>:$group_limit, OptionalAttr<Tile_GroupScore>:$group_score,
                       OptionalAttr<F64Attr>:$normalize, OptionalAttr<F64Attr>:$scaling);
  let assemblyFormat = [{
    $split $scoring $logits (`bias` $bias^)? `scratch` $scratch `->` $ids `,` $weights attr-dict
    `:` type($logits) (`bias` type($bias)^)? `scratch` type($scratch)
    `->` type($ids) `,` type($weights)
  }];
}

def Tile_TapRouteOp : Tile_Kernel<"tap_route"> {
  let summary = "A layer's choice of experts, handed to the host";
  let description = [{
    Row t of `ids` and `weights` becomes the first k columns of row t of `layer` in the host's
    buffers; what is behind them is left as it is.

    ```mlir
    tile.tap_route rows %ids, %weights -> %all_ids, %all_weights[%layer]
      : memref<?x4xi32>, memref<?x4xf32> -> memref<?x?x6xi32>, memref<?x?x6xf32>
    ```

    Constraints:
    * (C1) `weights` has the shape of `ids`.
    * (C2) The outputs have the rows of `ids` and at least its width, and one shape.
    * (C3) `split` is `rows` or `whole`.
  }];
  let arguments = (ins Tile_Split:$split, Tile_Choices:$ids, Tile_Rows:$weights,
                       MemRefRankOf<[I32], [3]>:$out_ids, MemRefRankOf<[F32], [3]>:$out_weights,
                       Index:$layer);
  let assemblyFormat = [{
    $split $ids `,` $weights `->` $out_ids `,` $out_weights `[` $layer `]` attr-dict
    `:` type($ids) `,` type($weights) `->` type($out_ids) `,` type($out_weights)
  }];
}

def Tile_DispatchOp : Tile_Kernel<"dispatch"> {
  let summary = "Sorts the assignments of tokens to experts by expert";
  let description = [{
    Assignment t * k + j is the jth choice of token t. `order` lists the assignments of expert 0, then
    those of expert 1, …, each ascending (a counting sort); those of expert e are
    order[offsets[e]] … order[offsets[e + 1] - 1].

    With `fours` an expert that has more assignments than that begins at a multiple of 4. What is
    missing in front of it repeats the last assignment before, and is that expert's: so no more than
    3 / (fours + 1) of the places are repetitions, and their results are those of what they repeat.

    ```mlir
    tile.dispatch first %ids -> %order, %offsets
      : memref<?x4xi32> -> memref<?xi32>, memref<1x13xi32>
    tile.dispatch first %ids -> %order, %offsets {fours = 12 : i64}
      : memref<?x4xi32> -> memref<?xi32>, memref<1x13xi32>
    ```

    Constraints:
    * (C1) `offsets` is [1, experts + 1], for at least one expert.
    * (C2) With one row of ids, `order` has as many elements as ids are chosen.
    * (C3) `split` is `first`.
    * (C4) `fours`, if given, is not negative.
  }];
  let arguments = (ins Tile_Split:$split, Tile_Choices:$ids, Tile_Ids:$order, Tile_Choices:$offsets,
                       OptionalAttr<I64Attr>:$fours);
  let assemblyFormat = [{
    $split $ids `->` $order `,` $offsets attr-dict
    `:` type($ids) `->` type($order) `,` type($offsets)
  }];
}

def Tile_GatherRowsOp : Tile_Kernel<"gather_rows", [SameVariadicOperandSize]> {
  let summary = "Rows of int8 in the order of experts, by fours";
  let description = [{
    Place p of `order` holds an assignment, that of token t = order[p] / choices: row p of `outs`
    becomes row t of `x`, both as `tile.quantize` writes them. Those of `outs` lie by fours; those of
    `x` in a step of more rows than `fours`, if there is such a number.

    ```mlir
    tile.gather_rows rows %xv, %xs, %xn of %order -> %v, %s, %n {choices = 4 : i64, fours = 15 : i64}
      : memref<?x96xi8>, memref<?x3x3xf32>, memref<?x6xi32> of memref<?xi32>
        -> memref<?x96xi8>, memref<?x3x3xf32>, memref<?x6xi32>
    ```

    Constraints:
    * (C1) `x` and `outs` are the buffers of quantized rows of one width, with blocks of one width.
    * (C2) `choices` is positive.
    * (C3) `split` is `rows` or `whole`.
  }];
  let arguments = (ins Tile_Split:$split, Variadic<AnyMemRef>:$x, Tile_Ids:$order,
                       Variadic<AnyMemRef>:$outs, I64Attr:$choices, OptionalAttr<I64Attr>:$fours);
  let assemblyFormat = [{
    $split $x `of` $order `->` $outs attr-dict `:` type($x) `of` type($order) `->` type($outs)
  }];
}

// A product of the assignments of each expert with that expert's panels. Panels are what threads
// share, of every expert: so all have equal work, however the tokens are spread. Turns of
// grouped_contract go through the panels of one expert after the other, those of combine_contract
// through panels of all experts.
class Tile_ExpertProduct<string mnemonic> : Tile_Kernel<mnemonic, [AttrSizedOperandSegments]>;

def Tile_GroupedContractOp : Tile_ExpertProduct<"grouped_contract"> {
  let summary = "The rows of each expert's tokens times its panels";
  let description = [{
    The panels of expert e start at byte e * expert_bytes of `weight`. Place p of `order` holds an
    assignment, that of a token t to an expert e: out[p] = epilogue(x[t] times the panels of e).
    Without `offsets` there is one token, and `order` holds its experts: out[j] = x[0] times the
    panels of expert order[j].

    With `fours` row p of `x` belongs to place p (`tile.gather_rows`), and all rows lie by fours. An
    expert with more places than `blocking` lets go direct then begins at a multiple of 4, which is
    what `tile.dispatch` sees to with 3 less for its `fours`.

    ```mlir
    tile.grouped_contract panels "vfmadd" bf16 %x weight %w strip %s of %order, %offsets -> gate_silu %hidden
      {blocking = #tile.blocking<direct = 4, together = 4, rows = 4, block = 256, columns = 256>,
       choices = 4 : i64, expert_bytes = 12288 : i64, k = 96 : i64, width = 32 : i64}
      : memref<?x96xf32> weight memref<147456xi8> strip memref<12288xi8>
        of memref<?xi32>, memref<1x13xi32> -> memref<?x32xf32>
    tile.grouped_contract panels "vfmadd" bf16 %x1 weight %w of %ids -> gate_silu %hidden1
      {choices = 4 : i64, expert_bytes = 12288 : i64, k = 96 : i64, width = 32 : i64}
      : memref<1x96xf32> weight memref<147456xi8> of memref<4xi32> -> memref<4x32xf32>
    ```

    Constraints:
    * (C1) `x`, `instruction`, `format`, `k`, `strip`, `blocking`, `turns` and `sharing` go together as in
      `tile.contract`.
    * (C2) `out` has at least `width` columns, which is positive.
    * (C3) `expert_bytes` is a positive multiple of 64; `weight` holds a whole number of experts, as many as
      `offsets` counts.
    * (C4) The epilogue is `store`, `silu` or `gate_silu`.
    * (C5) Without `offsets` there is one row of `x`, and `choices` experts and rows of `out`.
    * (C6) `split` is `panels`.
    * (C7) `fours` comes with `offsets`, and with three buffers of `x`.
  }];
  let arguments = (ins Tile_Split:$split, StrAttr:$instruction, Tile_Format:$format,
                       Variadic<AnyMemRef>:$x, Tile_Panels:$weight, Optional<AnyMemRef>:$strip,
                       Optional<Tile_Turns>:$turns, Tile_Ids:$order,
                       Optional<Tile_Choices>:$offsets, Tile_Rows:$out,
                       Tile_Epilogue:$epilogue, I64Attr:$width, I64Attr:$k, I64Attr:$choices,
                       I64Attr:$expert_bytes, OptionalAttr<Tile_BlockingAttr>:$blocking,
                       OptionalAttr<Tile_SharingAttr>:$sharing, UnitAttr:$fours);
  let assemblyFormat = [{
    $split $instruction `` $format $x `weight` $weight (`strip` $strip^)? (`turns` $turns^)?
    `of` $order (`,` $offsets^)? `->` $epilogue $out attr-dict
    `:` type($x) `weight` type($weight) (`strip` type($strip)^)? `of` type($order)
    (`,` type($offsets)^)? `->` type($out)
  }];
}

def Tile_CombineContractOp : Tile_ExpertProduct<"combine_contract"> {
  let summary = "Each expert's second product, and the weighted sum over a token's experts";
  let description = [{
    Row p of `hidden` belongs to the assignment at place p of `order`: y[order[p]] = hidden[p] times
    the panels of its expert; out[t] = sum over j, ascending, of weights[t, j] * y[t * choices + j],
    or out[t] plus that. `partial` is private and holds y for the panels that a thread is at: products
    are made expert by expert, while sums are made token by token. Without `offsets` and `partial`
    there is one token, and `order` holds its experts. With `fours` the rows of `hidden` lie so, as
    those of `x` in `tile.grouped_contract`.

    ```mlir
    tile.combine_contract panels "vfmadd" bf16 %hidden weight %w strip %s of %order, %offsets
      by %weights partial %p -> accumulate %y
      {blocking = #tile.blocking<direct = 4, together = 4, rows = 4, block = 256, columns = 256>,
       expert_bytes = 8192 : i64, k = 32 : i64, width = 96 : i64}
      : memref<?x32xf32> weight memref<98304xi8> strip memref<2048xi8>
        of memref<?xi32>, memref<1x13xi32> by memref<?x4xf32> partial memref<?x4x128xf32>
        -> memref<?x96xf32>
    ```

    Constraints:
    * (C1) `hidden`, `instruction`, `format`, `k`, `strip`, `blocking`, `turns` and `sharing` go together as
      in `tile.contract`.
    * (C2) `out` has at least `width` columns, which is positive, and a row for each row of `weights`.
    * (C3) `expert_bytes` is a positive multiple of 64; `weight` holds a whole number of experts, as many as
      `offsets` counts.
    * (C4) The epilogue is `store` or `accumulate`.
    * (C5) `offsets` and `partial` come together; without them there is one row of `weights`, and an expert
      in `order` and a row of `hidden` for each.
    * (C6) `partial` is [rows, choices, a positive multiple of 16] for the choices of `weights`.
    * (C7) `split` is `panels`.
    * (C8) `fours` comes with `offsets`, and with three buffers of `hidden`.
  }];
  let arguments = (ins Tile_Split:$split, StrAttr:$instruction, Tile_Format:$format,
                       Variadic<AnyMemRef>:$hidden, Tile_Panels:$weight, Optional<AnyMemRef>:$strip,
                       Optional<Tile_Turns>:$turns, Tile_Ids:$order,
                       Optional<Tile_Choices>:$offsets, Tile_Rows:$weights,
                       Optional<Tile_Partial>:$partial, Tile_Rows:$out, Tile_Epilogue:$epilogue,
                       I64Attr:$width, I64Attr:$k, I64Attr:$expert_bytes,
                       OptionalAttr<Tile_BlockingAttr>:$blocking,
                       OptionalAttr<Tile_SharingAttr>:$sharing, UnitAttr:$fours);
  let assemblyFormat = [{
    $split $instruction `` $format $hidden `weight` $weight (`strip` $strip^)? (`turns` $turns^)?
    `of` $order (`,` $offsets^)? `by` $weights (`partial` $partial^)? `->` $epilogue $out attr-dict
    `:` type($hidden) `weight` type($weight) (`strip` type($strip)^)? `of` type($order)
    (`,` type($offsets)^)? `by` type($weights) (`partial` type($partial)^)? `->` type($out)
  }];
}

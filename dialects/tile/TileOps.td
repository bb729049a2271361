//===- TileOps.td - Buffers, kernels and barriers of a step ----------------------------------------===//

#ifndef MOIRE_DIALECTS_TILE_OPS
#define MOIRE_DIALECTS_TILE_OPS

include "dialects/tile/TileBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

// The function around it starts with the step, the thread's number and the size of the team.
def Tile_InStep : NativeOpTrait<"InStep"> {
  let cppNamespace = "::mlir::tile";
}

class Tile_Op<string mnemonic, list<Trait> traits = []>
    : Op<Tile_Dialect, mnemonic, !listconcat(traits, [Tile_InStep])>;

//===- Where data lies -----------------------------------------------------------------------------===//

def Tile_CountOp : Tile_Op<"count", [Pure]> {
  let summary = "How many tokens, or rows of logits, this step has";
  let description = [{
    ```mlir
    %tokens = tile.count tokens
    ```
  }];
  let arguments = (ins Tile_Count:$of);
  let results = (outs Index:$result);
  let assemblyFormat = "$of attr-dict";
}

def Tile_AllocOp : Tile_Op<"alloc"> {
  let summary = "A buffer in the arena (shared, team, kept) or in a thread's scratch (private)";
  let description = [{
    A shared buffer has one row a token at most; its `offset` counts bytes per token and is multiplied
    by the state's largest step. A private one is there once for each thread; if it has `rows`, its
    `offset` counts as that of a shared one, behind the private buffers of a fixed size. One of the
    team is there once, in front of the shared ones, whatever the step. One that is kept has bytes of
    its own in front of all: nothing else is ever there, and they are zero before the first step. The
    plan phase sets `offset`.

    ```mlir
    %x = tile.alloc shared(%tokens) : memref<?x96xf32>
    %scratch = tile.alloc private at 64 : memref<4x80xf32>
    %parts = tile.alloc team at 64 : memref<8x6x32xf32>
    %turns = tile.alloc kept at 0 : memref<1xi64>
    ```

    Constraints:
    * (C1) A private buffer without `rows`, or one of the team or kept, has a static shape.
    * (C2) The first dimension of a buffer with `rows` is dynamic, that of a shared one without is 1; the
      others are static.
    * (C3) The buffer is row-major, of whole bytes an element.
    * (C4) `offset`, if given, is a multiple of 64 and not negative.
    * (C5) A buffer of the team, or kept, has no `rows`.
  }];
  let arguments = (ins Tile_Space:$space, Optional<Index>:$rows, OptionalAttr<I64Attr>:$offset);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = "$space (`(` $rows^ `)`)? (`at` $offset^)? attr-dict `:` type($result)";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Bytes of one row (shared, or with rows: the first dimension counts them) or of all.
    int64_t getPlannedBytes();
  }];
}

def Tile_InputOp : Tile_Op<"input", [Pure]> {
  let summary = "Data that the host hands to the step";
  let description = [{
    | field | type |
    |---|---|
    | `tokens`, `slots`, `positions`, `rows` | [rows] i32 |
    | `logits` | [rows, width] f32 |
    | `taps` | [streams, rows, width] f32 |
    | `route_ids` | [layers, rows, width] i32 |
    | `route_weights` | [layers, rows, width] f32 |
    | `kv` | [elements] f32, f16, bf16 or i8; `?`, since nobody asks how many |
    | `page_table` | [slots, pages] i32; `?x?` |

    ```mlir
    %positions = tile.input positions(%tokens) : memref<?xi32>
    %pool = tile.input kv : memref<?xf16>
    ```

    Constraints:
    * (C1) The type is the field's, row-major.
    * (C2) `rows` is given where the type has a dynamic dimension of rows, and only there.
  }];
  let arguments = (ins Tile_Input:$field, Optional<Index>:$rows);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = "$field (`(` $rows^ `)`)? attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Tile_WeightOp : Tile_Op<"weight", [Pure]> {
  let summary = "A packed weight, or one slice of a stacked one";
  let description = [{
    `offset` bytes into the weights section, and `slice` times `slice_bytes` more. Panels are bytes, a
    vector is f32 (codegen/artifact/Packing.h).

    ```mlir
    %w = tile.weight "ffn_down"[%layer] {offset = 8192 : i64, slice_bytes = 6144 : i64} : memref<6144xi8>
    ```

    Constraints:
    * (C1) The result is a static vector of i8 or f32.
    * (C2) `offset` is a multiple of 4096, `slice_bytes` one of 64, and neither is negative.
    * (C3) The result is no larger than a slice.
  }];
  let arguments = (ins StrAttr:$name, I64Attr:$offset, I64Attr:$slice_bytes, Optional<Index>:$slice);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = "$name (`[` $slice^ `]`)? attr-dict `:` type($result)";
  let hasVerifier = 1;
}

//===- Kernels -------------------------------------------------------------------------------------===//

// Reads buffers and writes buffers; has no results.
class Tile_Kernel<string mnemonic, list<Trait> traits = []> : Tile_Op<mnemonic, traits> {
  let hasVerifier = 1;
}

include "dialects/tile/RowOps.td"

def Tile_ContractOp : Tile_Kernel<"contract", [AttrSizedOperandSegments]> {
  let summary = "Product of rows with packed panels by a machine instruction of the table";
  let description = [{
    `x` is [T, K] f32, the three parts that `tile.quantize` writes, or the pairs of bf16 that
    `tile.round` writes. `weight` holds panels of 16
    output rows; with the epilogue `gate_silu` panels of gate and up alternate. `width` is the number
    of outputs; `out` may be wider, up to whole panels, and is then written up to there.
    `instruction` is a row of codegen/cpu/Instructions.def, or `vfmadd`. With `blocking` many rows may
    come: few of them read packed panels together, more share chunks of a panel that are unpacked into
    the `strip`, a private buffer (dialects/tile/Strip.h). Without, each row by itself reads packed
    panels. With `fours` quantized rows lie as `tile.quantize` says. `turns` counts the turns that threads took: it is kept, 0 between two executions, and a
    barrier stands between them.

    ```mlir
    tile.contract panels "vfmadd" bf16 %x weight %w bias %b strip %s -> store %y
      {blocking = #tile.blocking<direct = 4, together = 4, rows = 4, block = 256, columns = 256>, width = 40 : i64, k = 96 : i64}
      : memref<?x96xf32> weight memref<9216xi8> bias memref<48xf32> strip memref<6144xi8>
      -> memref<?x48xf32>
    tile.contract panels "vpdpbusd" q8_0 %v, %s, %n weight %w -> accumulate %y
      {width = 48 : i64, k = 96 : i64}
      : memref<1x96xi8>, memref<1x3x3xf32>, memref<1x6xi32> weight memref<4896xi8>
      -> memref<1x48xf32>
    ```

    Constraints:
    * (C1) `x` is one buffer [T, k] of f32, the three buffers of quantized rows for that T and k, or
      one buffer of pairs, [T, k / 2] of i32 with k rounded up to a multiple of 16.
    * (C2) Quantized rows meet a block format, pairs meet `bf16_pairs`. The columns that share a scale
      in the format are a multiple of those of the rows' blocks, if these are not of 32, and chunks
      consist of whole blocks.
    * (C3) k is a whole number of the format's blocks (of 32 columns, or 256).
    * (C4) `instruction` is `vfmadd` for rows of f32, `vdpbf16ps` for pairs, and another one for
      quantized rows.
    * (C5) `out` has the rows of `x` and at least `width` columns, which is positive.
    * (C6) The bias is at least as long as whole panels.
    * (C7) With `gate_silu` there is no bias. The epilogue is not `silu`.
    * (C8) A strip is a vector of as many i8 as `blocking` needs for the format, the rows, k and the
      parts (2 with `gate_silu`, else 1), and is not there where that is none, or without `blocking`.
    * (C9) `split` is `panels` or `whole`.
    * (C10) `turns` has `sharing` beside it, and `split` is then `panels`.
    * (C11) `fours` comes with quantized rows and `blocking`, whose `rows` are then whole pairs, and its
      `block` whole fours. It is the blocking's `direct`, or 0, and then `together` is whole fours, too.
  }];
  let arguments = (ins Tile_Split:$split, StrAttr:$instruction, Tile_Format:$format,
                       Variadic<AnyMemRef>:$x, Tile_Panels:$weight, Optional<Tile_Vector>:$bias,
                       Optional<AnyMemRef>:$strip, Optional<Tile_Turns>:$turns, Tile_Rows:$out,
                       Tile_Epilogue:$epilogue, I64Attr:$width, I64Attr:$k,
                       OptionalAttr<Tile_BlockingAttr>:$blocking,
                       OptionalAttr<Tile_SharingAttr>:$sharing, OptionalAttr<I64Attr>:$fours);
  let assemblyFormat = [{
    $split $instruction `` $format $x `weight` $weight (`bias` $bias^)? (`strip` $strip^)?
    (`turns` $turns^)?
    `->` $epilogue $out attr-dict
    `:` type($x) `weight` type($weight) (`bias` type($bias)^)? (`strip` type($strip)^)?
    `->` type($out)
  }];
}

def Tile_KvAppendOp : Tile_Kernel<"kv_append"> {
  let summary = "Writes keys or values of this step into their pages";
  let description = [{
    Row t goes to positions[t] of the sequence in slots[t], rounded to the layout's element: as
    `moe.kv_append` says, with i8 to `#moe.int8_rows`. With the split `segments` a thread writes the
    heads of whose last segment `tile.attend` gives it.

    ```mlir
    tile.kv_append rows keys %k, %pool, %table, %slots, %positions[%layer]
      <layers = 3, kv_heads = 2, head_dim = 16, page = 64, element = f16>
      : memref<?x32xf32>, memref<?xf16>, memref<?x?xi32>, memref<?xi32>, memref<?xi32>
    tile.kv_append segments keys %k1, %pool, %table, %slots1, %positions1[%layer]
      <layers = 3, kv_heads = 2, head_dim = 16, page = 64, element = f16> {segment = 512 : i64}
      : memref<1x32xf32>, memref<?xf16>, memref<?x?xi32>, memref<1xi32>, memref<1xi32>
    ```

    Constraints:
    * (C1) The width of `values` is KV heads times head dim of the layout.
    * (C2) `kv` has the layout's element type.
    * (C3) There are a slot and a position for each row.
    * (C4) `split` is `segments`, for one row, or `rows` or `whole`.
    * (C5) `segment` comes with `segments`, and is a positive multiple of the page.
  }];
  let arguments = (ins Tile_Split:$split, Tile_Side:$side, Tile_Rows:$values, Tile_Pool:$kv,
                       Tile_PageTable:$page_table, Tile_Ids:$slots, Tile_Ids:$positions,
                       Index:$layer, Tile_KvLayoutAttr:$layout, OptionalAttr<I64Attr>:$segment);
  let assemblyFormat = [{
    $split $side $values `,` $kv `,` $page_table `,` $slots `,` $positions `[` $layer `]` $layout
    attr-dict `:` type($values) `,` type($kv) `,` type($page_table) `,` type($slots)
    `,` type($positions)
  }];
}

def Tile_AttendOp : Tile_Kernel<"attend"> {
  let summary = "Attention of query rows over the pages of their sequences";
  let description = [{
    As `moe.attention`, on pages. What a row sees is cut at absolute positions into segments of
    `segment` positions; each has a softmax of its own, and they are joined in their order.

    With the split `tiles` all of that is done here, and threads take turns at blocks of rows and KV
    heads; `turns` counts them, as in `tile.contract`. With `segments`, for one row, the segments of
    each KV head are shared out, and `out` receives the part of each segment and head: the sums of
    values, then the maximum and the sum of its softmax; `tile.attend_combine` joins them.

    `scratch` is private. Each of its rows serves a query row: the scores of a page, the sums of
    values of a segment and of the segments before, the query, and 16 numbers of the softmax.
    `vectors` is how many vectors of 16 numbers the machine's registers hold.

    ```mlir
    tile.attend tiles %q, %pool, %table, %slots, %positions[%layer] scratch %scratch turns %turns -> %y
      <layers = 3, kv_heads = 2, head_dim = 16, page = 64, element = f16>
      {scale = 2.5e-1 : f64, segment = 512 : i64, vectors = 8 : i64, window = 100 : i64}
      : memref<?x96xf32>, memref<?xf16>, memref<?x?xi32>, memref<?xi32>, memref<?xi32>,
        memref<48x128xf32> -> memref<?x96xf32>
    tile.attend segments %q1, %pool, %table, %slots1, %positions1[%layer] scratch %s1 -> %parts
      <layers = 3, kv_heads = 2, head_dim = 16, page = 64, element = f16>
      {scale = 2.5e-1 : f64, segment = 512 : i64, vectors = 8 : i64}
      : memref<1x96xf32>, memref<?xf16>, memref<?x?xi32>, memref<1xi32>, memref<1xi32>,
        memref<3x128xf32> -> memref<8x6x32xf32>
    ```

    Constraints:
    * (C1) The width of `queries` is a multiple of KV heads times head dim of the layout.
    * (C2) With `tiles` `out` has the shape of `queries`, with `segments` it is [segments, heads, head
      dim rounded up to 16, and 16], static.
    * (C3) `kv` has the layout's element type.
    * (C4) There are a slot and a position for each row.
    * (C5) `scratch` is [query rows, page + 3 * head dim rounded up to 16 + 16], static; with
      `segments` there is a row for each head of a KV head.
    * (C6) `window`, if given, is positive.
    * (C7) `split` is `segments`, for one row, or `tiles`.
    * (C8) `segment` is a positive multiple of the page.
    * (C9) `vectors` is at least 8.
    * (C10) `turns` is there with `tiles`, and with nothing else.
  }];
  let arguments = (ins Tile_Split:$split, Tile_Rows:$queries, Tile_Pool:$kv,
                       Tile_PageTable:$page_table, Tile_Ids:$slots, Tile_Ids:$positions,
                       Tile_Rows:$scratch, Optional<Tile_Turns>:$turns, AnyMemRef:$out, Index:$layer,
                       Tile_KvLayoutAttr:$layout, F64Attr:$scale, I64Attr:$segment, I64Attr:$vectors,
                       OptionalAttr<I64Attr>:$window);
  let assemblyFormat = [{
    $split $queries `,` $kv `,` $page_table `,` $slots `,` $positions `[` $layer `]` `scratch` $scratch
    (`turns` $turns^)? `->` $out $layout attr-dict
    `:` type($queries) `,` type($kv) `,` type($page_table) `,` type($slots) `,` type($positions)
    `,` type($scratch) `->` type($out)
  }];
}

def Tile_AttendCombineOp : Tile_Kernel<"attend_combine"> {
  let summary = "Joins the segments of one row's attention";
  let description = [{
    For each head the parts that `tile.attend` made of the segments that the row sees, in their order:
    with m, s and v the maximum, the sum and the sums of values so far, and m', s' and v' those of the
    next segment, M = max(m, m') takes the place of m, s exp(m - M) + s' exp(m' - M) that of s, and v
    likewise. The row is v / s.

    ```mlir
    tile.attend_combine whole %parts, %positions1 -> %y1
      {head_dim = 16 : i64, segment = 512 : i64, window = 100 : i64}
      : memref<8x6x32xf32>, memref<1xi32> -> memref<1x96xf32>
    ```

    Constraints:
    * (C1) `parts` is [segments, heads, head dim rounded up to 16, and 16] for the `head_dim`, which is
      positive.
    * (C2) `out` is one row of a head dim for each head.
    * (C3) There is one position.
    * (C4) `segment` and `window`, if given, are positive.
    * (C5) `split` is `whole`.
  }];
  let arguments = (ins Tile_Split:$split, Tile_Parts:$parts, Tile_Ids:$positions, Tile_Rows:$out,
                       I64Attr:$head_dim, I64Attr:$segment, OptionalAttr<I64Attr>:$window);
  let assemblyFormat = [{
    $split $parts `,` $positions `->` $out attr-dict
    `:` type($parts) `,` type($positions) `->` type($out)
  }];
}

include "dialects/tile/ExpertOps.td"

def Tile_BarrierOp : Tile_Op<"barrier"> {
  let summary = "Waits until the whole team is here";
  let description = [{
    ```mlir
    tile.barrier
    ```
  }];
  let assemblyFormat = "attr-dict";
}

def Tile_StampOp : Tile_Op<"stamp"> {
  let summary = "Notes when this thread gets here";
  let description = [{
    Adds the processor's time stamp to those of the thread (`moire_stamp` of runtime/Abi.h), with the
    number of the region that ends here: a kernel, a barrier, or the way to the first of them. Behind a
    product of experts it also notes how many of them had a token.

    ```mlir
    tile.stamp 7
    tile.stamp 8 experts %index
    ```
  }];
  let arguments = (ins ConfinedAttr<I64Attr, [IntNonNegative]>:$region, Optional<Index>:$experts);
  let assemblyFormat = "$region (`experts` $experts^)? attr-dict";
}

#endif

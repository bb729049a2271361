//===- TileOps.td - Buffers, kernels and barriers of a step ----------------------------------------===//

#ifndef MOIRE_DIALECTS_TILE_OPS
#define MOIRE_DIALECTS_TILE_OPS

include "dialects/tile/TileBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Tile_Op<string mnemonic, list<Trait> traits = []> : Op<Tile_Dialect, mnemonic, traits>;

//===- Where data lies -----------------------------------------------------------------------------===//

def Tile_CountOp : Tile_Op<"count", [Pure]> {
  let summary = "How many tokens, or rows of logits, this step has";
  let arguments = (ins Tile_Count:$of);
  let results = (outs Index:$result);
  let assemblyFormat = "$of attr-dict";
}

def Tile_AllocOp : Tile_Op<"alloc"> {
  let summary = "A buffer in the arena (shared) or in a thread's scratch (private)";
  let description = [{
    A shared buffer has one row a token at most; its `offset` counts bytes per token and is multiplied
    by the state's largest step. A private one has a static shape. The plan phase sets `offset`.
  }];
  let arguments = (ins Tile_Space:$space, Optional<Index>:$rows, OptionalAttr<I64Attr>:$offset);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = "$space (`(` $rows^ `)`)? (`at` $offset^)? attr-dict `:` type($result)";
  let extraClassDeclaration = [{
    /// Bytes of one row (shared: the first dimension counts rows) or of all (private).
    int64_t getPlannedBytes();
  }];
}

def Tile_InputOp : Tile_Op<"input", [Pure]> {
  let summary = "Data that the host hands to the step";
  let arguments = (ins Tile_Input:$field, Optional<Index>:$rows);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = "$field (`(` $rows^ `)`)? attr-dict `:` type($result)";
}

def Tile_WeightOp : Tile_Op<"weight", [Pure]> {
  let summary = "A packed weight, or one slice of a stacked one";
  let arguments = (ins StrAttr:$name, I64Attr:$offset, I64Attr:$slice_bytes, Optional<Index>:$slice);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = "$name (`[` $slice^ `]`)? attr-dict `:` type($result)";
}

//===- Kernels -------------------------------------------------------------------------------------===//

// Reads `ins`, writes `outs`; the last `outs` operands are its results.
class Tile_Kernel<string mnemonic, list<Trait> traits = []> : Tile_Op<mnemonic, traits>;

def Tile_EmbedOp : Tile_Kernel<"embed"> {
  let summary = "Rows of the embedding, dequantized";
  let arguments = (ins Tile_Split:$split, Tile_Format:$format, AnyMemRef:$tokens, AnyMemRef:$table,
                       AnyMemRef:$out);
  let assemblyFormat = [{
    $split $format $tokens `,` $table `->` $out attr-dict
    `:` type($tokens) `,` type($table) `->` type($out)
  }];
}

def Tile_SelectRowsOp : Tile_Kernel<"select_rows"> {
  let summary = "out[r] = x[rows[r]]";
  let arguments = (ins Tile_Split:$split, AnyMemRef:$x, AnyMemRef:$rows, AnyMemRef:$out);
  let assemblyFormat = [{
    $split $x `,` $rows `->` $out attr-dict `:` type($x) `,` type($rows) `->` type($out)
  }];
}

def Tile_RmsNormOp : Tile_Kernel<"rms_norm"> {
  let summary = "RMS norm of each row; with three outputs, its int8 form (values, scales, sums)";
  let arguments = (ins Tile_Split:$split, AnyMemRef:$x, AnyMemRef:$gain, Variadic<AnyMemRef>:$outs,
                       F64Attr:$eps);
  let assemblyFormat = [{
    $split $x `,` $gain `->` $outs `eps` $eps attr-dict `:` type($x) `,` type($gain) `->` type($outs)
  }];
}

def Tile_QuantizeOp : Tile_Kernel<"quantize"> {
  let summary = "Each row as int8 in blocks of 32";
  let description = [{
    `values` [T, K] i8; `scales` [T, 2, K/32] f32: the scale d of each block, then d times the sum of
    its values; `sums` [T, K/32] i32: the sum of its values.
  }];
  let arguments = (ins Tile_Split:$split, AnyMemRef:$x, AnyMemRef:$values, AnyMemRef:$scales,
                       AnyMemRef:$sums);
  let assemblyFormat = [{
    $split $x `->` $values `,` $scales `,` $sums attr-dict
    `:` type($x) `->` type($values) `,` type($scales) `,` type($sums)
  }];
}

def Tile_RopeOp : Tile_Kernel<"rope"> {
  let summary = "Rotates pairs (i, i + R/2) of each head";
  let arguments = (ins Tile_Split:$split, AnyMemRef:$x, AnyMemRef:$positions, AnyMemRef:$frequencies,
                       AnyMemRef:$out, I64Attr:$head_dim, I64Attr:$rotary_dims);
  let assemblyFormat = [{
    $split $x `,` $positions `,` $frequencies `->` $out attr-dict
    `:` type($x) `,` type($positions) `,` type($frequencies) `->` type($out)
  }];
}

def Tile_GateOp : Tile_Kernel<"gate"> {
  let summary = "out = silu(gate) * up";
  let arguments = (ins Tile_Split:$split, AnyMemRef:$gate, AnyMemRef:$up, AnyMemRef:$out);
  let assemblyFormat = [{
    $split $gate `,` $up `->` $out attr-dict `:` type($gate) `,` type($up) `->` type($out)
  }];
}

def Tile_AddOp : Tile_Kernel<"add"> {
  let summary = "out = lhs + rhs";
  let arguments = (ins Tile_Split:$split, AnyMemRef:$lhs, AnyMemRef:$rhs, AnyMemRef:$out);
  let assemblyFormat = [{
    $split $lhs `,` $rhs `->` $out attr-dict `:` type($lhs) `,` type($rhs) `->` type($out)
  }];
}

def Tile_CopyOp : Tile_Kernel<"copy"> {
  let summary = "out = x; with an index, out[index]";
  let arguments = (ins Tile_Split:$split, AnyMemRef:$x, AnyMemRef:$out, Optional<Index>:$index);
  let assemblyFormat = [{
    $split $x `->` $out (`[` $index^ `]`)? attr-dict `:` type($x) `->` type($out)
  }];
}

def Tile_ContractOp : Tile_Kernel<"contract", [AttrSizedOperandSegments]> {
  let summary = "Product of rows with packed panels by a machine instruction of the table";
  let description = [{
    `x` is [T, K] f32, or the three parts that `tile.quantize` writes. `weight` holds panels of 16
    output rows; with the epilogue `gate_silu` panels of gate and up alternate. `width` is the number
    of columns written. `instruction` is a row of codegen/cpu/Instructions.def, or `vfmadd`. A `strip`
    is a private buffer for one unpacked panel, shared by all rows; without one, panels are unpacked
    in registers (for a single row).
  }];
  let arguments = (ins Tile_Split:$split, StrAttr:$instruction, Tile_Format:$format,
                       Variadic<AnyMemRef>:$x, AnyMemRef:$weight, Optional<AnyMemRef>:$bias,
                       Optional<AnyMemRef>:$strip, AnyMemRef:$out, Tile_Epilogue:$epilogue, I64Attr:$width, I64Attr:$k);
  let assemblyFormat = [{
    $split $instruction $format $x `,` `weight` $weight (`,` `bias` $bias^)? (`,` `strip` $strip^)?
    `->` $epilogue $out attr-dict
    `:` type($x) `,` type($weight) (`,` `bias` type($bias)^)? (`,` `strip` type($strip)^)?
    `->` type($out)
  }];
}

def Tile_KvAppendOp : Tile_Kernel<"kv_append"> {
  let summary = "Writes keys or values of this step into their pages";
  let arguments = (ins Tile_Split:$split, Tile_Side:$side, AnyMemRef:$values, AnyMemRef:$kv,
                       AnyMemRef:$page_table, AnyMemRef:$slots, AnyMemRef:$positions, Index:$layer,
                       Tile_KvLayoutAttr:$layout);
  let assemblyFormat = [{
    $split $side $values `,` $kv `,` $page_table `,` $slots `,` $positions `[` $layer `]` $layout
    attr-dict `:` type($values) `,` type($kv) `,` type($page_table) `,` type($slots)
    `,` type($positions)
  }];
}

def Tile_AttendOp : Tile_Kernel<"attend"> {
  let summary = "Attention of query rows over the pages of their sequences";
  let arguments = (ins Tile_Split:$split, AnyMemRef:$queries, AnyMemRef:$kv, AnyMemRef:$page_table,
                       AnyMemRef:$slots, AnyMemRef:$positions, AnyMemRef:$scratch, AnyMemRef:$out,
                       Index:$layer, Tile_KvLayoutAttr:$layout, F64Attr:$scale,
                       OptionalAttr<I64Attr>:$window);
  let assemblyFormat = [{
    $split $queries `,` $kv `,` $page_table `,` $slots `,` $positions `[` $layer `]` `scratch` $scratch
    `->` $out $layout attr-dict
    `:` type($queries) `,` type($kv) `,` type($page_table) `,` type($slots) `,` type($positions)
    `,` type($scratch) `->` type($out)
  }];
}

def Tile_BarrierOp : Tile_Op<"barrier"> {
  let summary = "Waits until the whole team is here";
  let assemblyFormat = "attr-dict";
}

#endif

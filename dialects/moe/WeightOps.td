//===- WeightOps.td - Weight symbols, reading them, taps ------------------------------------------===//

def Moe_WeightOp : Op<Moe_Dialect, "weight", [Symbol]> {
  let summary = "A weight: a shape, an element type and a recipe, no data";
  let description = [{
    `recipe` is a `#moe.source` (a tensor of the model's file, or one a layer: then the first
    dimension of the type counts the layers), or a `#moe.concat` of other weights.

    ```mlir
    moe.weight @q : tensor<30x576x576xf32, #moe.block<q4_1>>
      = #moe.source<"blk.{i}.attn_q.weight", layers = [0, 1], interleaved_heads = 9>
    ```

    Constraints:
    * (C1) `recipe` is a `#moe.source` or a `#moe.concat`.
    * (C2) A source with layers has as many as the first dimension of the type; `{i}` is in its name.
    * (C3) The parts of a concat are weights with the same element type, encoding, stack and K; their
      rows add up to the rows of this weight.
    * (C4) The shape is static.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<AnyRankedTensor>:$type, AnyAttr:$recipe);
  let assemblyFormat = "$sym_name `:` $type `=` $recipe attr-dict";
  let hasVerifier = 1; // C1, C2, C4; C3 looks at other symbols and is verified by ReadOp's users
  let extraClassDeclaration = [{
    ::mlir::RankedTensorType getWeightType() {
      return ::llvm::cast<::mlir::RankedTensorType>(getType());
    }
    /// Slices of the stack, or 0 for a weight that is not stacked.
    int64_t getStack();
  }];
}

def Moe_ReadOp : Op<Moe_Dialect, "read",
                    [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "The value of a weight, or of one slice of a stacked weight";
  let description = [{
    ```mlir
    %w = moe.read @q[%layer] : tensor<576x576xf32, #moe.block<q4_1>>
    %e = moe.read @embedding : tensor<49152x576xbf16>
    ```

    Constraints:
    * (C1) `weight` names a `moe.weight`.
    * (C2) Without a slice the type is the weight's; with one, the weight's without its first
      dimension.
  }];
  let arguments = (ins FlatSymbolRefAttr:$weight, Optional<Index>:$slice);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$weight (`[` $slice^ `]`)? attr-dict `:` type($result)";
}

def Moe_TapOp : Op<Moe_Dialect, "tap", [MemoryEffects<[MemWrite]>]> {
  let summary = "Hands a value out of the program, for comparison with other implementations";
  let description = [{
    ```mlir
    moe.tap %x[%layer] : tensor<?x576xf32>
    ```
    `index` counts the residual streams entering the layers; the last is what enters the final norm.
  }];
  let arguments = (ins Moe_Rows:$value, Index:$index);
  let assemblyFormat = "$value `[` $index `]` attr-dict `:` type($value)";
}

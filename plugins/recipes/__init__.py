"""How a plugin of each language becomes a module. It does not know what is on record; ``build.py`` does."""

from __future__ import annotations

from pathlib import Path

from recipes.assemblyscript import AssemblyScript
from recipes.golang import Go
from recipes.recipe import BuildError, Recipe
from recipes.rust import Rust
from recipes.zig import C, Zig

__all__ = ["RECIPES", "BuildError", "Recipe", "recipe_of"]

RECIPES: tuple[Recipe, ...] = (Rust(), C(), Zig(), Go(), AssemblyScript())


def recipe_of(plugin: Path) -> Recipe | None:
    """Return the recipe for a folder, or None where it holds no sources of a plugin."""
    return next((recipe for recipe in RECIPES if recipe.owns(plugin)), None)

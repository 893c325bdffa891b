"""The pages of the screens; each offers PAGE, layout() and register()."""

"""The Web API's methods, a module for each family. ``registry`` collects them; ``method`` says what one is."""
